// SPDX-License-Identifier: Apache-2.0
import { bootstrapIntervals, type Sample, type Unit, unitFor } from './bootstrap.js';
import { type Distribution, fromValues, quantileBin } from './distribution.js';
import { seededRandom } from './random.js';
import { type RankTest, rankTest } from './rank-test.js';

/** What is compared: shares of the samples at or below it. */
export const comparedShares = { p50: 0.5, p99: 0.99, max: 1 } as const;
export type Statistic = keyof typeof comparedShares;

/** A quantile is judged only with at least this many samples beyond it on each side. */
export const fewestBeyond = 10;

/**
 * Of the second side against the first. `not-judged`: a maximum always (it is one packet, and no resampling draws
 * one above it), a quantile with too few samples beyond it.
 */
export type Verdict = 'faster' | 'slower' | 'no-difference-shown' | 'not-judged';

export interface Difference {
  statistic: Statistic;
  first: number;
  second: number;
  /** Second less first, and its 95 % interval. */
  difference: number;
  interval: [low: number, high: number];
  /** A difference no larger than this is not taken for one, whatever the interval. */
  tolerance: number;
  verdict: Verdict;
}

export interface SampleComparison {
  unit: Unit;
  resamples: number;
  seed: number;
  differences: Difference[];
  /** Of packets, or of the rounds' medians where rounds are drawn. */
  ranks: RankTest;
}

export interface CompareOptions {
  /** Rounds of both sides took turns, so that round i of one stands beside round i of the other. */
  interleaved: boolean;
  /** The least difference that was told apart when the values were taken. */
  resolution: number;
  /** How far a statistic moves between repeats of the same thing; 0 where not known. Of no use where rounds are drawn. */
  repeatTolerance: (statistic: Statistic) => number;
  resamples?: number;
  seed?: number;
}

const judge = (interval: readonly [number, number], difference: number, tolerance: number): Verdict => {
  if (Math.abs(difference) <= tolerance) return 'no-difference-shown';
  if (interval[1] < 0) return 'faster';
  return interval[0] > 0 ? 'slower' : 'no-difference-shown';
};

const medians = (rounds: readonly Distribution[]) =>
  fromValues(rounds.map((round) => quantileBin(round, 0.5)?.value ?? 0));

/**
 * Compares two samples of latencies, the second against the first. Both must have samples. Deterministic: the
 * same samples and seed give the same intervals.
 */
export function compareSamples(first: Sample, second: Sample, options: CompareOptions): SampleComparison {
  const { interleaved, resolution, repeatTolerance, resamples = 2000, seed = 1 } = options;
  const unit = unitFor(first, second, interleaved);
  const statistics = Object.keys(comparedShares) as Statistic[];
  const intervals = bootstrapIntervals(first, second, {
    unit,
    shares: statistics.map((statistic) => comparedShares[statistic]),
    resamples,
    random: seededRandom(seed),
  });
  const fewest = Math.min(first.all.total, second.all.total);
  const differences = statistics.map((statistic, place): Difference => {
    const share = comparedShares[statistic];
    const [a, b] = [quantileBin(first.all, share), quantileBin(second.all, share)];
    const interval = intervals[place] ?? [0, 0];
    const difference = (b?.value ?? 0) - (a?.value ?? 0);
    const tolerance = Math.max(
      resolution,
      a?.width ?? 0,
      b?.width ?? 0,
      unit === 'packets' ? repeatTolerance(statistic) : 0,
    );
    const judged = statistic !== 'max' && Math.round(fewest * (1 - share)) >= fewestBeyond;
    return {
      ...{ statistic, first: a?.value ?? 0, second: b?.value ?? 0, difference, interval, tolerance },
      verdict: judged ? judge(interval, difference, tolerance) : 'not-judged',
    };
  });
  const ranks =
    unit === 'packets'
      ? rankTest(first.all, second.all)
      : rankTest(medians(first.rounds), medians(second.rounds));
  return { unit, resamples, seed, differences, ranks };
}
