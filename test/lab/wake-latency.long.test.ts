// SPDX-License-Identifier: Apache-2.0
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { compareInside } from '../../src/comparison/compare.js';
import type { LiveMeasurement } from '../../src/lab/events.js';
import { runLab } from '../../src/lab/run.js';
import { type PathResult, type Result, resultSchema } from '../../src/results/schema.js';
import { prepareLab } from '../../src/setup/prepare.js';
import { stderrProgress } from '../../src/support/progress.js';

describe('wake latency of a live guest, with a packet each ms', () => {
  let live: LiveMeasurement;
  let result: Result;
  const path = (name: string): PathResult => {
    const found = result.paths.find((each) => each.name === name);
    if (!found) throw new Error(`no wake was timed on ${name}: ${result.notes.join(' ')}`);
    return found;
  };

  beforeAll(async () => {
    const progress = stderrProgress();
    const { events } = await runLab({
      artifacts: await prepareLab(progress, true),
      clock: 'instruction',
      folder: await mkdtemp(join(tmpdir(), 'vmcall-wakes-')),
      scenario: {
        scenario: 'live-measurement',
        packets: 1000,
        rounds: 1,
        interval: 1000,
        idleThreshold: 300,
        seed: 1,
      },
      progress,
    });
    const event = events.find(({ type }) => type === 'live-measurement');
    if (event?.type !== 'live-measurement') throw new Error('nothing was measured');
    live = event;
    result = resultSchema.parse(live.result);
    for (const name of ['injected', 'vmcall'])
      console.log(name, path(name).received, 'wakes, ns:', path(name).latency_ns);
    console.log(result.notes.join('\n'));
  }, 1_200_000);

  test('vmcall run times nearly every wake, on both paths', () => {
    for (const name of ['injected', 'vmcall']) expect(path(name).received, name).toBeGreaterThan(100);
    const {
      wakes_dated: dated = 0,
      wakes_undated: undated,
      wakes_untold: untold,
    } = path('injected').dataplane;
    expect(undated).toBeLessThan(dated / 100);
    expect(untold).toBe(0);
    expect(result.notes.join()).toContain('irq:irq_handler_entry');
    expect(result.notes.join()).not.toContain('Partial');
  });

  test('injected interrupts take longer than the VM call, and vmcall compare says so', () => {
    for (const figure of ['min', 'p50', 'avg'] as const)
      expect(path('injected').latency_ns[figure], figure).toBeGreaterThan(path('vmcall').latency_ns[figure]);
    const [pair] = compareInside({ source: 'live', result }, ['injected', 'vmcall']).pairs;
    expect(pair?.differences[0]?.verdict).toBe('faster');
  });

  test('vmcall top has it of the injected path, as long as somebody watches', () => {
    expect(live.top).toMatchObject({
      domains: [{ name: 'dpdk', interval: { path: 'injected', wake_latency: { unit: 'ns' } } }],
    });
  });

  test('no trace is left in the host', () => {
    expect(live.tracesLeft).toEqual([]);
  });
});
