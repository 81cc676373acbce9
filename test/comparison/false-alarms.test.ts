// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from 'vitest';
import { comparePair, type Run } from '../../src/comparison/compare.js';
import { repeatTolerance } from '../../src/comparison/sample.js';
import { emptyHistogram } from '../../src/results/histogram.js';
import { importedPath } from '../../src/results/import/document.js';
import type { PathResult, Result } from '../../src/results/schema.js';
import type { Sample } from '../../src/statistics/bootstrap.js';
import { compareSamples, type Verdict } from '../../src/statistics/compare.js';
import { fromValues, quantileBin } from '../../src/statistics/distribution.js';
import { type Random, seededRandom } from '../../src/statistics/random.js';

/** A standard normal draw (Box and Muller). */
const normal = (random: Random) =>
  Math.sqrt(-2 * Math.log(1 - random.uniform())) * Math.cos(2 * Math.PI * random.uniform());

/** Latencies of a round: a floor and an exponential tail in ns, with a resolution of 64 ns, all moved by the round's own. */
const latencies = (random: Random, count: number, moved: (value: number) => number) =>
  Array.from({ length: count }, () => {
    const value = moved(40_000 - 3000 * Math.log(1 - random.uniform()));
    return Math.round(value / 64) * 64;
  });

/** What a clock does to a round. */
type Clock = (random: Random) => (value: number) => number;
/** Rounds of hardware differ by some percent: what runs beside, where memory lies, how warm it is. */
const real =
  (percent: number): Clock =>
  (random) => {
    const factor = 1 + (percent / 100) * normal(random);
    return (value) => value * factor;
  };
/** Rounds of the lab differ by some instructions: which tick came when. */
const instruction =
  (ns: number): Clock =>
  (random) => {
    const shift = ns * normal(random);
    return (value) => value + shift;
  };

interface Side {
  sample: Sample;
  path: PathResult;
}

function side(random: Random, clock: Clock, rounds: number, packets: number): Side {
  const values = Array.from({ length: rounds }, () => latencies(random, packets, clock(random)));
  const distributions = values.map(fromValues);
  const at = (round: number, share: number) => {
    const one = distributions[round];
    return (one && quantileBin(one, share)?.value) ?? 0;
  };
  const path = {
    rounds: distributions.map((_, index) => ({
      latency_ns: { p50: at(index, 0.5), p99: at(index, 0.99), max: at(index, 1) },
    })),
  } as unknown as PathResult;
  return { sample: { all: fromValues(values.flat()), rounds: distributions }, path };
}

/** A round's: enough of them that p99 is judged. */
const packets = 500;

/** The share of comparisons of a path with itself that show a difference, by statistic; and of rank tests. */
function alarms(
  name: Result['clock'],
  clock: Clock,
  rounds: number,
  { interleaved = false, repeats = 200 } = {},
) {
  const random = seededRandom(rounds);
  const shown = { p50: 0, p99: 0, ranks: 0, judged: 0 };
  for (let repeat = 0; repeat < repeats; repeat++) {
    const [a, b] = [side(random, clock, rounds, packets), side(random, clock, rounds, packets)];
    const { differences, ranks } = compareSamples(a.sample, b.sample, {
      interleaved,
      resolution: 64,
      resamples: 100,
      repeatTolerance: (statistic) =>
        repeatTolerance(
          [
            [{ clock: name }, a.path],
            [{ clock: name }, b.path],
          ],
          statistic,
        ),
    });
    const isShown = (verdict: Verdict | undefined) => verdict === 'faster' || verdict === 'slower';
    if (isShown(differences[0]?.verdict)) shown.p50++;
    if (isShown(differences[1]?.verdict)) shown.p99++;
    if (differences[0]?.verdict !== 'not-judged') shown.judged++;
    if ((ranks.p ?? 1) < 0.05) shown.ranks++;
  }
  const share = (count: number) => count / repeats;
  return {
    p50: share(shown.p50),
    p99: share(shown.p99),
    ranks: share(shown.ranks),
    judged: share(shown.judged),
  };
}

/** A true rate of 5 % shows no more than this in 200 comparisons, with a chance of 0.999. */
const most = 0.105;

describe('a path compared with itself', () => {
  test.each([1, 3, 9])('gets no verdict on a real clock with %i rounds', (rounds) => {
    expect(alarms('bare-metal', real(rounds === 1 ? 1 : 6), rounds, { repeats: 20 })).toMatchObject({
      p50: 0,
      p99: 0,
      ranks: 0,
      judged: 0,
    });
  });

  test.each([
    [10, 1, false],
    [10, 6, false],
    [10, 6, true],
  ])(
    'with %i rounds that differ by %i % is called different as seldom as stated',
    (rounds, percent, paired) => {
      const shown = alarms('bare-metal', real(percent), rounds, { interleaved: paired });
      expect(shown.judged).toBe(1);
      for (const share of [shown.p50, shown.p99, shown.ranks]) expect(share).toBeLessThanOrEqual(most);
      // An interval that is too wide is no better: of 200, a true rate of 5 % shows at least one.
      expect(shown.p50 + shown.p99).toBeGreaterThan(0);
    },
    120_000,
  );

  test.each([
    [2, 100],
    [3, 5],
    [5, 100],
    [10, 100],
  ])(
    'on the instruction clock with %i rounds that differ by %i ns too',
    (rounds, ns) => {
      const shown = alarms('instruction', instruction(ns), rounds);
      expect(shown.judged).toBe(1);
      for (const share of [shown.p50, shown.p99, shown.ranks]) expect(share).toBeLessThanOrEqual(most);
    },
    120_000,
  );

  test('gets no verdict on the instruction clock with one round', () => {
    expect(alarms('instruction', instruction(100), 1, { repeats: 20 }).judged).toBe(0);
  });
});

test('a difference that is there is found in ten rounds, and reported without a verdict in fewer', () => {
  const random = seededRandom(3);
  const run = (rounds: number, factor: number): [Run, PathResult] => {
    const measured = Array.from({ length: rounds }, () => {
      const histogram = emptyHistogram();
      const values = latencies(random, 300, (value) => value * factor * (1 + 0.01 * normal(random)));
      for (const value of values) histogram.recordValue(value);
      const exact = { min: Math.min(...values), avg: 45_000, max: Math.max(...values) };
      return { histogram, exact };
    });
    const all = emptyHistogram();
    for (const { histogram } of measured) all.add(histogram);
    const exact = { min: 1, avg: 45_000, max: 1_000_000 };
    const path = importedPath('path', 'path', { histogram: all, exact }, measured);
    const result = { clock: 'bare-metal', resolution_ns: 16, paths: [path], made: '' } as unknown as Result;
    return [{ source: String(factor), result }, path];
  };
  const enough = comparePair(run(10, 1), run(10, 1.1));
  expect(enough.differences[0]).toMatchObject({ verdict: 'slower', why_not_judged: null });
  const few = comparePair(run(3, 1), run(3, 1.1));
  expect(few.differences[0]).toMatchObject({ verdict: 'not-judged', why_not_judged: 'spread-unknown' });
  expect(few.verdict).toMatch(/median was slower in what was measured.*not judged/);
  expect(few.caveats.join()).toContain('It takes 10 rounds on each side');
});
