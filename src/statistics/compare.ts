// SPDX-License-Identifier: Apache-2.0
import { bootstrapIntervals, fewestRounds, type ResampledUnit, type Sample, unitFor } from './bootstrap.js';
import { type Distribution, fromValues, quantileBin } from './distribution.js';
import { seededRandom } from './random.js';
import { type RankTest, rankTest } from './rank-test.js';

/** What is compared: shares of the samples at or below it. */
export const comparedShares = { p50: 0.5, p99: 0.99, max: 1 } as const;
export type Statistic = keyof typeof comparedShares;

/** A quantile is judged only with at least this many samples beyond it on each side. */
export const fewestBeyond = 10;

/** Of the second side against the first. */
export type Verdict = 'faster' | 'slower' | 'no-difference-shown' | 'not-judged';

/**
 * Why a difference is not judged: a maximum never is (it is one packet, and no resampling draws one above it); a
 * quantile with too few samples beyond it; any where the spread between rounds is not known.
 */
export type WhyNotJudged = 'maximum' | 'few-samples' | 'spread-unknown';

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
  whyNotJudged: WhyNotJudged | null;
}

export interface SampleComparison {
  unit: ResampledUnit;
  resamples: number;
  seed: number;
  differences: Difference[];
  /** Of the rounds' medians where rounds are drawn; else of packets, without a test. */
  ranks: RankTest;
}

export interface CompareOptions {
  /** Rounds of both sides took turns, so that round i of one stands beside round i of the other. */
  interleaved: boolean;
  /** The least difference that was distinguished when the values were taken. */
  resolution: number;
  /**
   * How far apart a statistic of both sides can be by the spread between rounds alone, with the confidence of the
   * intervals; undefined where that is not known. Not asked where rounds are drawn: then the intervals hold it.
   */
  repeatTolerance: (statistic: Statistic) => number | undefined;
  resamples?: number;
  seed?: number;
}

const judge = (interval: readonly [number, number], difference: number, tolerance: number): Verdict => {
  if (Math.abs(difference) <= tolerance) return 'no-difference-shown';
  if (interval[1] < 0) return 'faster';
  return interval[0] > 0 ? 'slower' : 'no-difference-shown';
};

/** Packets of a round are alike, so that a test that takes each as independent shows what is not there. */
const withoutTest = (ranks: RankTest): RankTest => ({
  ...ranks,
  z: null,
  p: null,
  whyNot: `it needs ${fewestRounds} rounds on each side, as packets of a round are alike`,
});

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
    const spread = unit === 'packets' ? repeatTolerance(statistic) : 0;
    const tolerance = Math.max(resolution, a?.width ?? 0, b?.width ?? 0, spread ?? 0);
    const enough = Math.round(fewest * (1 - share)) >= fewestBeyond;
    const whyNotJudged =
      statistic === 'max'
        ? 'maximum'
        : spread === undefined
          ? 'spread-unknown'
          : enough
            ? null
            : 'few-samples';
    return {
      statistic,
      first: a?.value ?? 0,
      second: b?.value ?? 0,
      difference,
      interval,
      tolerance,
      verdict: whyNotJudged === null ? judge(interval, difference, tolerance) : 'not-judged',
      whyNotJudged,
    };
  });
  const ranks =
    unit === 'packets'
      ? withoutTest(rankTest(first.all, second.all))
      : rankTest(medians(first.rounds), medians(second.rounds));
  return { unit, resamples, seed, differences, ranks };
}
