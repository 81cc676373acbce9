// SPDX-License-Identifier: Apache-2.0
import { expect, test } from 'vitest';
import { FileHost } from '../../../host-agent/host/host.js';
import { SystemCommands } from '../../../host-agent/host/host-commands.js';
import { WakeDating } from '../../../host-agent/wake-times/dating.js';
import { noWakes } from '../../../src/protocol/histogram.js';
import { type Report, reportSchema } from '../../../src/protocol/messages.js';
import { encodeHistogram } from '../../../src/support/hdr/histogram.js';
import { createLog } from '../../../src/support/log.js';

const uuid = '0b9e2f6c-7a4d-4b6e-9c11-2f8d4e6a1b3c';

function dating() {
  const log: string[] = [];
  const place = () => {
    throw new Error('no such VM');
  };
  const host = new FileHost('/', new SystemCommands());
  const logger = createLog('host-agent', { write: (line) => log.push(line) });
  return { log, dating: new WakeDating(uuid, place, host, logger) };
}

const report = (change: Partial<Report>): Report => ({
  type: 'report',
  measurement: uuid,
  sequence: 1,
  elapsed_us: 1,
  path: 'injected',
  counters: { rx: 1 },
  wake_latency: {
    unit: 'ns',
    delta: { count: 0, histogram: encodeHistogram(noWakes()) },
    total: { count: 0, min: null, max: 0, sum: 0 },
  },
  ...change,
});

const wakeTimes = { tsc_khz: 1_000_000, missed: 3, data: ['gAEB'] };

test('where nobody knows when interrupts came, a report goes on without, and the log says why, once', async () => {
  const { dating: one, log } = dating();
  await one.begin('injected');
  for (const _again of [1, 2]) {
    const dated = reportSchema.parse(one.date(report({ wake_times: wakeTimes })));
    expect(dated).not.toHaveProperty('wake_times');
    expect(dated.wake_latency.total.count).toBe(0);
    expect(dated.counters).toMatchObject({ rx: 1, wakes_dated: 0, wakes_untold: 3 });
  }
  expect(log).toEqual([expect.stringContaining('no such VM')]);
});

test('a guest that sends a histogram that is none does no harm', async () => {
  const { dating: one } = dating();
  await one.begin('vmcall');
  const wrong = { ...report({}).wake_latency, delta: { count: 1, histogram: 'AAAAAAAA' } };
  const sent = report({ path: 'vmcall', wake_times: wakeTimes, wake_latency: wrong });
  expect(one.date(sent).wake_latency).toEqual(wrong);
});
