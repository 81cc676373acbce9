// SPDX-License-Identifier: Apache-2.0
import type { Histogram } from 'hdr-histogram-js';
import { VmcallError } from '../../support/errors.js';
import { encodeHistogram } from '../histogram.js';
import { percentilesOf } from '../latency.js';
import type { Latency, PathResult, Result } from '../schema.js';

export const units = { ns: 1, us: 1000, ms: 1_000_000 } as const;
export type Unit = keyof typeof units;

/** What the file does not say and the user may. */
export interface ImportOptions {
  /** The file's name, for errors and notes. */
  source: string;
  clock: Result['clock'];
  quantity?: Result['quantity'] | undefined;
  unit?: Unit | undefined;
}

export const cannotImport = (source: string, why: string, cure: string) =>
  new VmcallError('IMPORT_FAILED', `${source}: ${why}`, cure);

/** A histogram with what is kept exactly beside it, ns. */
export interface Measured {
  histogram: Histogram;
  exact: { min: number; avg: number; max: number };
}

export const latencyOf = ({ histogram, exact }: Measured): Latency => ({
  ...percentilesOf(histogram, exact),
  avg: exact.avg,
});

/** A path of another tool: its latencies, and nothing of what that tool does not measure. */
export function importedPath(
  name: string,
  title: string,
  measured: Measured,
  rounds: readonly Measured[],
): PathResult {
  const received = measured.histogram.totalCount;
  return {
    name,
    title,
    sent: received,
    received,
    ...{ lost: 0, duplicate: 0, late: 0, reordered: 0 },
    rtt_ns: latencyOf(measured),
    rtt_histogram: encodeHistogram(measured.histogram),
    ...{ added_ns: null, exits_per_packet: null, exits_by_reason: null, timer_ticks_per_packet: null },
    ...{ injected_interrupts_per_packet: null, cpu_handed_back: null, wake_latency_ns: null },
    dataplane: {},
    kvm: {},
    rounds: rounds.map((round, index) => ({
      index,
      sent: round.histogram.totalCount,
      received: round.histogram.totalCount,
      rtt_ns: latencyOf(round),
      rtt_histogram: encodeHistogram(round.histogram),
    })),
  };
}

/** What every imported document has alike. */
export function importedResult(
  facts: Pick<Result, 'made' | 'made_by' | 'clock' | 'quantity' | 'resolution_ns' | 'platform' | 'repeat'> & {
    pattern: string;
    paths: PathResult[];
    notes: string[];
  } & Pick<Result, 'timeline'>,
): Result {
  const { pattern, paths, timeline, ...rest } = facts;
  return {
    format: 'vmcall-result',
    version: 2,
    ...rest,
    retries: 0,
    failed_attempts: [],
    traffic: {
      pattern,
      packets: Math.max(0, ...paths.map((path) => path.received)),
      rounds: Math.max(1, ...paths.map((path) => path.rounds.length)),
      ...{ interval_us: null, idle_threshold_us: null, handback_idle_threshold_us: null, seed: null },
    },
    paths,
    references: [],
    targets: [],
    ...(timeline ? { timeline } : {}),
  };
}
