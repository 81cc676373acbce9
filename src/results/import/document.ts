// SPDX-License-Identifier: Apache-2.0
import type { JsHistogram } from 'hdr-histogram-js';
import { VmcallError } from '../../support/errors.js';
import { encodeHistogram } from '../../support/hdr/histogram.js';
import { emptyHistogram } from '../histogram.js';
import { percentilesOf } from '../latency.js';
import type { Latency, PathResult, Result } from '../schema.js';

export const units = { ns: 1, us: 1000, ms: 1_000_000 } as const;
export type TimeUnit = keyof typeof units;

/** More paths than this a result does not hold. */
const mostPaths = 1024;

/** What the file does not say and the user may. */
export interface ImportOptions {
  /** The file's name, for errors and notes. */
  source: string;
  clock: Result['clock'];
  quantity?: Result['quantity'] | undefined;
  unit?: TimeUnit | undefined;
}

export const cannotImport = (source: string, why: string, cure: string) =>
  new VmcallError('IMPORT_FAILED', `${source}: ${why}`, cure);

/** A histogram with what is kept exactly beside it, ns. */
export interface ExactHistogram {
  histogram: JsHistogram;
  exact: { min: number; avg: number; max: number };
}

/** A value and how often it was measured. */
export type Count = readonly [value: number, times: number];

export const totalOf = (counts: readonly Count[]) => counts.reduce((total, [, times]) => total + times, 0);

/** A histogram of ns out of counts of values in another unit. */
export function histogramOf(counts: readonly Count[], scale: number): JsHistogram {
  const histogram = emptyHistogram();
  for (const [value, times] of counts)
    if (times > 0) histogram.recordValueWithCount(Math.round(value * scale), times);
  return histogram;
}

/** Counts of which nothing else is known, as what was measured; lowest first, at least one. */
export function exactHistogramOf(counts: readonly Count[], scale: number): ExactHistogram {
  const sum = counts.reduce((total, [value, times]) => total + value * times, 0);
  const [min = 0, max = 0] = [counts[0]?.[0], counts.at(-1)?.[0]];
  // Rounding must not put the average of equal values beside them.
  const avg = Math.min(max, Math.max(min, sum / totalOf(counts)));
  return {
    histogram: histogramOf(counts, scale),
    exact: { min: min * scale, avg: avg * scale, max: max * scale },
  };
}

/** @throws VmcallError IMPORT_FAILED if no set of latencies can have these */
export function checkExtremes(
  source: string,
  name: string,
  { min, avg, max }: { min: number; avg: number; max: number },
): void {
  if (min >= 0 && min <= avg && avg <= max) return;
  throw cannotImport(
    source,
    `${name} has a minimum of ${min}, an average of ${avg} and a maximum of ${max}, which cannot be`,
    'Give the file as the tool wrote it, or measure again',
  );
}

/** JSON of a user's file, which an editor may have put its mark before. `wanted` is what it should be, for the cure. */
export function parseJson(text: string, source: string, wanted: string): unknown {
  try {
    return JSON.parse(text.replace(/^\uFEFF/, ''));
  } catch (error) {
    throw cannotImport(
      source,
      `not whole JSON (${error instanceof Error ? error.message : error}): is the file cut?`,
      `Give ${wanted}`,
    );
  }
}

const latencyOf = ({ histogram, exact }: ExactHistogram): Latency => ({
  ...percentilesOf(histogram, exact),
  avg: exact.avg,
});

/** A round or a point of the timeline. */
export const figuresOf = (measured: ExactHistogram) => ({
  received: measured.histogram.totalCount,
  latency_ns: latencyOf(measured),
});

/** A path of another tool: its latencies, and nothing of what that tool does not measure. */
export function importedPath(
  name: string,
  title: string,
  measured: ExactHistogram,
  rounds: readonly ExactHistogram[],
): PathResult {
  const { received, latency_ns } = figuresOf(measured);
  return {
    name,
    title,
    sent: received,
    received,
    lost: 0,
    duplicate: 0,
    late: 0,
    reordered: 0,
    latency_ns,
    latency_histogram: encodeHistogram(measured.histogram),
    added_ns: null,
    exits_per_packet: null,
    exits_by_reason: null,
    timer_ticks_per_packet: null,
    injected_interrupts_per_packet: null,
    cpu_handed_back: null,
    wake_latency_ns: null,
    dataplane: {},
    kvm: {},
    rounds: rounds.map((round, index) => ({
      index,
      sent: round.histogram.totalCount,
      ...figuresOf(round),
      latency_histogram: encodeHistogram(round.histogram),
    })),
  };
}

/** What every imported document has alike. Error: `IMPORT_FAILED` for more paths than a result holds. */
export function importedResult(
  source: string,
  facts: Pick<Result, 'made_by' | 'clock' | 'quantity' | 'resolution_ns' | 'notes'> &
    Partial<Pick<Result, 'made' | 'platform' | 'repeat' | 'timeline'>> & {
      pattern: string;
      paths: PathResult[];
    },
): Result {
  const { pattern, paths, made, platform, repeat, timeline, ...rest } = facts;
  if (paths.length > mostPaths)
    throw cannotImport(
      source,
      `${paths.length} threads, streams or tags; a result holds up to ${mostPaths}`,
      'Split the file',
    );
  return {
    format: 'vmcall-result',
    version: 3,
    ...rest,
    made: made ?? new Date().toISOString(),
    platform: platform ?? {},
    repeat: repeat ?? 'not known: the file does not say',
    retries: 0,
    failed_attempts: [],
    traffic: {
      pattern,
      packets: Math.max(0, ...paths.map((path) => path.received)),
      rounds: Math.max(1, ...paths.map((path) => path.rounds.length)),
      interval_us: null,
      idle_threshold_us: null,
      handback_idle_threshold_us: null,
      seed: null,
    },
    paths,
    references: [],
    targets: [],
    ...(timeline ? { timeline } : {}),
  };
}
