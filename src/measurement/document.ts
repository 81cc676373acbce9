// SPDX-License-Identifier: Apache-2.0
import type { Path } from '../protocol/fields.js';
import type { Energy } from '../results/energy.js';
import { decodeHistogram, emptyHistogram } from '../results/histogram.js';
import { type ExactHistogram, importedPath } from '../results/import/document.js';
import { type PathResult, type Result, resultSchema } from '../results/schema.js';
import { projectVersion } from '../support/version.js';
import type { MeasuredRound } from './round.js';

const titles: Readonly<Record<Path, string>> = {
  poll: 'in-VM, polling',
  injected: 'in-VM, injected interrupts',
  'pv-kick': 'in-VM, PV kick',
  vmcall: 'in-VM, VM call',
};

/** What a run says beside its rounds. */
export type RunFacts = Pick<Result, 'made' | 'clock' | 'partial' | 'platform' | 'repeat'> & {
  idleThresholdUs: number | null;
  /** Paths that were asked for. */
  paths: readonly Path[];
  /** What the host consumed, or why that could not be measured. */
  energy: Energy | { absent: string };
};

/** The result document of measurements in a live guest: its dataplane's wake latency, path by path. */
export function runDocument(rounds: readonly MeasuredRound[], facts: RunFacts): Result {
  const of = (path: Path) => rounds.filter((round) => round.path === path && round.measured.total.count > 0);
  const silent = facts.paths.filter((path) => of(path).length === 0);
  const { idleThresholdUs, paths, energy, ...rest } = facts;
  const isMeasured = !('absent' in energy);
  const measured = paths.filter((path) => of(path).length > 0).map((path) => pathOf(path, of(path)));
  return resultSchema.parse({
    format: 'vmcall-result',
    version: 3,
    ...rest,
    made_by: { name: 'vmcall', version: projectVersion },
    quantity: 'wake-latency',
    resolution_ns: 1,
    retries: 0,
    failed_attempts: [],
    traffic: {
      pattern: 'as it came',
      packets: Math.max(0, ...measured.map(({ received }) => received)),
      rounds: Math.max(1, ...measured.map((path) => path.rounds.length)),
      interval_us: null,
      idle_threshold_us: idleThresholdUs,
      handback_idle_threshold_us: null,
      seed: null,
    },
    paths: measured,
    references: [],
    targets: [],
    timeline: timelineOf(rounds),
    ...(isMeasured && { energy }),
    notes: [
      'Wake latency, from the interrupt in the host to the application; a packet that woke nobody is not in it.',
      ...measured.map(({ name, dataplane }) => noteOf(name, dataplane)).filter((note) => note !== ''),
      ...silent.map((path) => `No wake was timed on ${path}: ${whyNone(rounds, path)}.`),
      ...(isMeasured ? [] : [`Energy was not measured: ${energy.absent}.`]),
      ...rounds.flatMap(({ path, partial }, at) =>
        partial === undefined ? [] : [`Measurement ${at + 1}, on ${path}, is not whole: ${partial}`],
      ),
    ].slice(0, 100),
  } satisfies Result);
}

/** Why no wake was timed on a path. */
export function whyNone(rounds: readonly MeasuredRound[], path: Path): string {
  const { partial, undated } = rounds.find((round) => round.path === path) ?? {
    partial: 'it was not measured',
  };
  return (undated ?? partial ?? 'its dataplane did not sleep, or nothing woke it').replace(/\.$/, '');
}

/** Where the time stamps of a path come from. */
function noteOf(path: string, counters: Readonly<Record<string, number>>): string {
  if (path === 'vmcall')
    return 'vmcall: from the ring of the doorbell in hard interrupt context, which the VM call returns as guest TSC.';
  if (path !== 'injected' && path !== 'pv-kick') return '';
  const { wakes_undated: undated = 0, wakes_untold: untold = 0 } = counters;
  return `${path}: from the entry of the hard interrupt handler (ftrace, irq:irq_handler_entry, x86-tsc), as guest TSC by KVM's offset and ratio; tracing is in it. ${undated} wake(s) had no interrupt in their sleep, ${untold} did not fit.`;
}

function pathOf(path: Path, rounds: readonly MeasuredRound[]): PathResult {
  const each = rounds.map(({ measured }) => exactOf([measured]));
  const dataplane: Record<string, number> = {};
  for (const { measured } of rounds)
    for (const [name, value] of Object.entries(measured.counters))
      dataplane[name] = (dataplane[name] ?? 0) + value;
  const whole = exactOf(rounds.map(({ measured }) => measured));
  return { ...importedPath(path, titles[path], whole, each), dataplane };
}

/** Measurements as one distribution, with the exact figures that were kept beside them. */
function exactOf(all: readonly MeasuredRound['measured'][]): ExactHistogram {
  const histogram = emptyHistogram();
  for (const measured of all) histogram.add(decodeHistogram(measured.histogram));
  const totals = all.map(({ total }) => total);
  const count = totals.reduce((sum, total) => sum + total.count, 0);
  const min = Math.min(...totals.flatMap(({ min }) => (min === null ? [] : [min])));
  const max = Math.max(...totals.map(({ max }) => max));
  // Sum and count were read one after the other: see totals.ts.
  const avg = Math.min(max, Math.max(min, totals.reduce((sum, total) => sum + total.sum, 0) / count));
  return { histogram, exact: { min, avg, max } };
}

function timelineOf(rounds: readonly MeasuredRound[]): NonNullable<Result['timeline']> {
  const points: NonNullable<Result['timeline']>['points'] = [];
  const marks: NonNullable<Result['timeline']>['marks'] = [];
  let beganS = 0;
  let before: Path | undefined;
  for (const { path, measured, intervals } of rounds) {
    if (before !== undefined && before !== path)
      marks.push({ at_s: beganS, kind: 'switch', text: `${before} to ${path}` });
    for (const { atS, lengthS, count, p50, p99, max } of intervals)
      points.push({
        path,
        at_s: beganS + atS,
        length_s: lengthS,
        received: count,
        latency_ns: { p50, p99, max },
      });
    beganS += measured.elapsedUs / 1e6;
    before = path;
  }
  return { points, marks };
}
