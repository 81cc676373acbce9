// SPDX-License-Identifier: Apache-2.0
import { distributionOf } from '../results/histogram.js';
import type { PathResult, Result } from '../results/schema.js';
import type { Sample } from '../statistics/bootstrap.js';
import type { Statistic } from '../statistics/compare.js';
import { t975 } from '../statistics/normal.js';

/** A path's latencies as the statistics take them. */
export function sampleOf(path: PathResult): Sample {
  const rounds = path.rounds.flatMap(({ latency_histogram, latency_ns, received }) =>
    latency_histogram === null || received === 0 ? [] : [distributionOf(latency_histogram, latency_ns)],
  );
  // A part of the rounds would stand for another set of packets than the whole.
  const complete = rounds.length === path.rounds.length;
  return { all: distributionOf(path.latency_histogram, path.latency_ns), rounds: complete ? rounds : [] };
}

/** A run and one of its paths. */
export type SidePath = readonly [Pick<Result, 'clock'>, PathResult];

/**
 * How far apart a statistic of the two can be by the spread between their rounds alone, ns: what two means of so many
 * rounds differ by with a chance of 5 %, and no less than the same path moved. Undefined where nothing is known of it:
 * the instruction clock's rounds are alike enough for a few to tell, those of another clock are not.
 */
export function repeatTolerance(
  sides: readonly [SidePath, SidePath],
  statistic: Statistic,
): number | undefined {
  const known = sides.every(([{ clock }, { rounds }]) => clock === 'instruction' && rounds.length >= 2);
  if (!known) return undefined;
  const [a, b] = sides.map(([, { rounds }]) => rounds.map(({ latency_ns }) => latency_ns[statistic])) as [
    number[],
    number[],
  ];
  const degrees = a.length + b.length - 2;
  const deviation = Math.sqrt((squares(a) + squares(b)) / degrees);
  const byChance = t975(degrees) * deviation * Math.sqrt(1 / a.length + 1 / b.length);
  return Math.max(byChance, ...[a, b].map((values) => Math.max(...values) - Math.min(...values)));
}

/** The sum of squares about the mean. */
function squares(values: readonly number[]): number {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
}
