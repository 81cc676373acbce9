// SPDX-License-Identifier: Apache-2.0
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type HostSession, openHostSession } from '../../guest-agent/session/host-session.js';
import { GuestMeasurement } from '../../host-agent/guest-sessions/guest-measurement.js';
import type { WakeDating } from '../../host-agent/wake-times/dating.js';
import { MeasurementSum } from '../../src/measurement/sum.js';
import { decodeWakes, noWakes } from '../../src/protocol/histogram.js';
import type { Health, Report } from '../../src/protocol/messages.js';
import { encodeHistogram } from '../../src/support/hdr/histogram.js';
import { domainA, type Host, startHost } from './support/host.js';

let host: Host;
let guest: HostSession;
let id: string;
let sent: number;
let sum: MeasurementSum;
let broken: string | undefined;

/** A guest that sends `reports` when it is asked to stop. */
async function measure(reports: ((report: Report) => Partial<Report>)[], claimed = reports.length) {
  guest = await openHostSession(
    {
      url: new URL(host.url),
      trust: { fingerprint: host.fingerprint },
      domain: domainA,
      secret: await host.store.issue(domainA),
    },
    {
      'set-path': () => Promise.reject(new Error('not in this test')),
      'get-health': () => Promise.reject(new Error('not in this test')),
      'start-measurement': async ({ measurement }) => {
        id = measurement;
        return { path: 'vmcall' };
      },
      'stop-measurement': async () => {
        for (const change of reports) {
          const report = honest(++sent);
          guest.send({ ...report, ...change(report) });
        }
        return { reports: claimed };
      },
    },
    () => {},
    new AbortController().signal,
  );
  const session = host.sessions.get(domainA);
  if (!session) throw new Error('no session');
  sum = new MeasurementSum();
  return GuestMeasurement.start(session, {
    onReport: (report) => void sum.take(report),
    onBroken: (error) => {
      broken = error.message;
    },
  });
}

function honest(sequence: number): Report {
  const delta = noWakes();
  delta.recordValue(1000 * sequence);
  return {
    type: 'report',
    measurement: id,
    sequence,
    elapsed_us: sequence * 1_000_000,
    path: 'vmcall',
    wake_latency: {
      unit: 'ns',
      delta: { count: 1, histogram: encodeHistogram(delta) },
      total: { count: sequence, min: 1000, max: 1000 * sequence, sum: 500 * sequence * (sequence + 1) },
    },
    counters: { rx: sequence },
  };
}

beforeEach(async () => {
  sent = 0;
  host = await startHost();
});
afterEach(() => host.stop());

test('adds reports up to the whole', async () => {
  const measurement = await measure([() => ({}), () => ({}), () => ({})]);
  expect(await measurement.finish()).toEqual({ reports: 3 });
  expect([measurement.path, sum.broken]).toEqual(['vmcall', undefined]);
  const { measured } = sum;
  expect(measured).toMatchObject({
    path: 'vmcall',
    reports: 3,
    elapsedUs: 3_000_000,
    counters: { rx: 3 },
    total: { count: 3, min: 1000, max: 3000, sum: 6000 },
  });
  expect(decodeWakes(measured?.histogram ?? '').totalCount).toBe(3);
});

test('a second one is refused, and the dating of the first goes on', async () => {
  const first = await measure([() => ({})]);
  const session = host.sessions.get(domainA);
  if (!session) throw new Error('no session');
  const dated: string[] = [];
  session.dating = {
    begin: async () => void dated.push('begin'),
    end: async () => void dated.push('end'),
    date: (report: Report) => report,
  } as unknown as WakeDating;
  const listener = { onReport: () => {}, onBroken: () => {} };
  await expect(GuestMeasurement.start(session, listener)).rejects.toMatchObject({ code: 'BUSY' });
  expect(dated).toEqual([]);
  expect(await first.finish()).toEqual({ reports: 1 });
  expect(sum.broken).toBeUndefined();
});

test('what nobody asked for counts for nothing', async () => {
  let heard = 0;
  const measurement = await measure([() => ({})]);
  host.sessions.get(domainA)?.on('report', () => heard++);
  for (let i = 1; i <= 5; i++)
    guest.send({ ...honest(i), measurement: '00000000-0000-4000-8000-000000000000' });
  expect(await measurement.finish()).toEqual({ reports: 1 });
  guest.send(honest(2));
  guest.send({ type: 'health', health });
  await expect.poll(() => host.sessions.get(domainA)?.health).toEqual(health);
  expect(heard).toBe(1);
});

const health: Health = {
  dataplane: 'running',
  wanted: 'vmcall',
  path: 'vmcall',
  upheld: true,
  reason: null,
  idle_threshold_us: 300,
  restarts: 0,
  version: 'x',
};

const withDelta = (report: Report, delta: Partial<Report['wake_latency']['delta']>) => ({
  wake_latency: { ...report.wake_latency, delta: { ...report.wake_latency.delta, ...delta } },
});
test.each([
  ['a report is missing', [() => ({}), () => ({ sequence: 3 })], undefined, 'report 3 came for 2'],
  ['the last report is missing', [() => ({})], 2, '2 reports were sent, 1 came'],
  [
    'the path changed',
    [() => ({}), () => ({ path: 'injected' as const })],
    undefined,
    'from vmcall to injected',
  ],
  [
    'a delta holds another count',
    [(report: Report) => withDelta(report, { count: 7 })],
    undefined,
    'says 7 and holds 1',
  ],
  [
    'a histogram is none',
    [(report: Report) => withDelta(report, { histogram: 'AAAAAAAA' })],
    undefined,
    'not HDR V2, compressed',
  ],
])('is broken if %s', async (_what, reports, claimed, why) => {
  const measurement = await measure(reports, claimed);
  sum.end((await measurement.finish()).reports);
  expect(sum.broken).toContain(why);
});

test('is broken when the guest ends it, and when the session is lost', async () => {
  const first = await measure([]);
  guest.send({ type: 'measurement-ended', measurement: id, code: 'DATAPLANE_RESTARTED', message: 'SIGKILL' });
  await expect.poll(() => broken).toContain('DATAPLANE_RESTARTED: SIGKILL');
  await expect(first.finish()).rejects.toMatchObject({ code: 'MEASUREMENT_BROKEN' });
  const second = await measure([]);
  guest.close(1001, '');
  await expect.poll(() => broken).toContain('the session was lost with 1001');
  await expect(second.finish()).rejects.toMatchObject({ code: 'MEASUREMENT_BROKEN' });
});
