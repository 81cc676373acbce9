// SPDX-License-Identifier: Apache-2.0
import { distributionOf } from '../results/histogram.js';
import type { PathResult, Result } from '../results/schema.js';
import type { Sample } from '../statistics/bootstrap.js';
import type { Statistic } from '../statistics/compare.js';

/** A path's latencies as the statistics take them. */
export function sampleOf(path: PathResult): Sample {
  const rounds = path.rounds.flatMap(({ rtt_histogram, rtt_ns, received }) =>
    rtt_histogram === null || received === 0 ? [] : [distributionOf(rtt_histogram, rtt_ns)],
  );
  // A part of the rounds would stand for another set of packets than the whole.
  const complete = rounds.length === path.rounds.length;
  return { all: distributionOf(path.rtt_histogram, path.rtt_ns), rounds: complete ? rounds : [] };
}

/**
 * How far a statistic moved between repeats of the same path, ns: on the instruction clock chance is small and known
 * from the rounds alone. Where rounds are drawn, the interval holds it already.
 */
export function repeatTolerance(result: Result, path: PathResult, statistic: Statistic): number {
  if (result.clock !== 'instruction' || path.rounds.length < 2) return 0;
  const values = path.rounds.map(({ rtt_ns }) => rtt_ns[statistic]);
  return Math.max(...values) - Math.min(...values);
}
