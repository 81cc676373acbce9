// SPDX-License-Identifier: Apache-2.0
import { fewestRounds } from '../statistics/bootstrap.js';
import { fewestBeyond } from '../statistics/compare.js';
import type { DifferenceResult, Pair } from './schema.js';

/** A time in us, as everywhere in text: two decimals, a real minus. */
export const formatUs = (ns: number) =>
  (ns / 1000)
    .toFixed(2)
    .replace(/^-(?=0\.00$)/, '')
    .replace('-', '−');

const interval = ([low, high]: readonly [number, number]) => `${formatUs(low)} to ${formatUs(high)} µs`;

/** A size and its interval without the sign, which the words beside it say. */
function magnitude({ difference_ns, interval_ns: [low, high] }: DifferenceResult): string {
  const bounds = difference_ns < 0 ? ([-high, -low] as const) : ([low, high] as const);
  return `${formatUs(Math.abs(difference_ns))} µs (95 % interval ${interval(bounds)})`;
}

const percentOf = (difference: number, of: number) =>
  of === 0 ? '' : `, ${Math.abs((difference / of) * 100).toFixed(0)} % ${difference < 0 ? 'less' : 'more'}`;

/** The median's sentence names the sides; the others go on from it. */
const lead = ({ statistic, verdict }: DifferenceResult, [first, second]: readonly [string, string]) =>
  statistic === 'p50' ? `${second} is ${verdict} than ${first}: its` : `${second}'s`;

/** What each difference says, in words. */
export function describeDifference(difference: DifferenceResult, names: readonly [string, string]): string {
  const { statistic, verdict, first_ns, second_ns, difference_ns, tolerance_ns } = difference;
  const name = statistic === 'p50' ? 'median' : statistic === 'max' ? 'maximum' : statistic;
  const figures = `${formatUs(second_ns)} instead of ${formatUs(first_ns)} µs${percentOf(difference_ns, first_ns)}`;
  const [first, second] = names;
  switch (verdict) {
    case 'faster':
      return `${lead(difference, names)} ${name} is lower by ${magnitude(difference)}, ${figures}.`;
    case 'slower':
      return `${lead(difference, names)} ${name} is higher by ${magnitude(difference)}, ${figures}.`;
    case 'no-difference-shown':
      return `No difference shown in the ${name}: ${second} less ${first} is ${formatUs(difference_ns)} µs (95 % interval ${interval(difference.interval_ns)}; up to ${formatUs(tolerance_ns)} µs is not taken for a difference).`;
    case 'not-judged':
      return `${second}'s ${name} was ${seen(difference_ns)} in what was measured: ${figures}; not judged.`;
  }
}

const seen = (difference: number) => (difference === 0 ? 'the same' : difference < 0 ? 'faster' : 'slower');

type PairFigures = Omit<Pair, 'verdict' | 'caveats'>;

const drawn = (pair: PairFigures) => {
  const [a, b] = [pair.first.rounds, pair.second.rounds];
  switch (pair.unit) {
    case 'round-pairs':
      return `The intervals draw pairs of rounds that took turns (${a}); the rank test is of the rounds' medians.`;
    case 'rounds':
      return `The intervals draw whole rounds (${a} and ${b}); the rank test is of the rounds' medians.`;
    case 'packets':
      return `The intervals take packets as independent, since fewer than ${fewestRounds} rounds with histograms are there on each side (${a} and ${b}); packets of a round are alike, so the intervals are too narrow by what rounds differ by.`;
  }
};

/** The rank test's outcome in words. */
export function describeRanks({ first, second, rank_test, unit }: PairFigures): string {
  const { p, second_slower, why_not } = rank_test;
  const [a, b] = nameSides(first, second);
  const what = unit === 'packets' ? 'packet' : 'round';
  const chance = `a ${what} of ${b} is slower than one of ${a} with a chance of ${second_slower.toFixed(3)} (no difference: 0.5)`;
  if (p === null) return `Rank test (Mann-Whitney): no p, because ${why_not}; ${chance}.`;
  const size = p <= 1e-6 ? 'at most 0.000001' : p.toPrecision(2);
  return `Rank test (Mann-Whitney, corrected for ties): p ${size}; ${chance}.`;
}

/** The outcome of a comparison: the median's verdict, then p99's. */
export function verdictOf({ first, second, differences }: PairFigures): string {
  const names = nameSides(first, second);
  return differences
    .filter(({ statistic }) => statistic !== 'max')
    .map((difference) => describeDifference(difference, names))
    .join(' ');
}

/** Names that tell the sides apart: by path, and by run where the path is the same. */
export function nameSides(first: PairFigures['first'], second: PairFigures['second']): [string, string] {
  if (first.path !== second.path) return [first.path, second.path];
  return [`${first.path} (A)`, `${second.path} (B)`];
}

/** What bounds the verdict's certainty. */
export function caveatsOf(pair: PairFigures, clock: string): string[] {
  const { first, second, differences, rank_test } = pair;
  const [median] = differences;
  const lines = [drawn(pair)];
  if (clock === 'instruction')
    lines.push(
      'Instruction clock: chance is small, so a difference counts only beyond the tolerance, which is what rounds of the same path differ by, and no less than the resolution of the histogram. The figures compare paths; they are not times on hardware.',
    );
  if (median?.why_not_judged === 'spread-unknown')
    lines.push(
      clock === 'instruction'
        ? 'Nothing is judged: with less than two rounds on a side, how far rounds differ is not known.'
        : `Nothing is judged: on this clock rounds differ by chance more than packets of one do. It takes ${fewestRounds} rounds on each side (vmcall run takes 10; other tools: a log with an interval a run).`,
    );
  const few = differences.filter(({ why_not_judged }) => why_not_judged === 'few-samples');
  if (few.length > 0)
    lines.push(
      `Not judged: ${few.map(({ statistic }) => statistic).join(' and ')}, which takes ${fewestBeyond} packets beyond it on each side.`,
    );
  if (first.source !== second.source)
    lines.push('Two runs, not interleaved: whatever else changed between them shows as a difference too.');
  lines.push(
    'The maximum is one packet: its interval is given, but no resampling draws a slower one, so it is not judged.',
  );
  if (first.lost + second.lost > 0)
    lines.push(`Lost packets have no latency: ${first.lost} and ${second.lost} are not in the figures.`);
  const shown = median?.verdict === 'faster' || median?.verdict === 'slower';
  if (rank_test.p !== null && rank_test.p < 0.05 !== shown)
    lines.push(
      shown
        ? 'The rank test does not show the difference that the medians show.'
        : 'The rank test shows a difference (p below 0.05) that the medians do not show: look at the whole distributions.',
    );
  return lines;
}
