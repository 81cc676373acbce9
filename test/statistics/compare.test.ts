// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from 'vitest';
import { drawPackets, fewestRounds, type Sample } from '../../src/statistics/bootstrap.js';
import { compareSamples, type SampleComparison } from '../../src/statistics/compare.js';
import { fromValues, quantileBin } from '../../src/statistics/distribution.js';
import { type Random, seededRandom } from '../../src/statistics/random.js';

const packets = (values: readonly number[]): Sample => ({ all: fromValues(values), rounds: [] });
const inRounds = (rounds: readonly number[][]): Sample => ({
  all: fromValues(rounds.flat()),
  rounds: rounds.map(fromValues),
});

/** Latencies as they look: a floor and an exponential tail, in ns, with a resolution of 16 ns. */
const latencies = (random: Random, count: number, shift = 0) =>
  Array.from({ length: count }, () => {
    const value = 40_000 + shift - 3000 * Math.log(1 - random.uniform());
    return Math.round(value / 16) * 16;
  });

const options = { interleaved: false, resolution: 0, repeatTolerance: () => 0, resamples: 200 };
const verdict = (comparison: SampleComparison, statistic: string) =>
  comparison.differences.find((difference) => difference.statistic === statistic)?.verdict;

/** How often `comparison` shows a difference, by statistic, and how often the rank test is below 5 %. */
function alarms(repeats: number, comparison: (seed: number) => SampleComparison) {
  const shown = { p50: 0, p99: 0, max: 0, ranks: 0 };
  for (let seed = 1; seed <= repeats; seed++) {
    const { differences, ranks } = comparison(seed);
    for (const { statistic, verdict } of differences)
      if (verdict === 'faster' || verdict === 'slower') shown[statistic]++;
    if ((ranks.p ?? 1) < 0.05) shown.ranks++;
  }
  return shown;
}

describe('comparison of two samples', () => {
  test('with no difference, false alarms come at about the stated 5 %', () => {
    const random = seededRandom(11);
    const repeats = 200;
    const shown = alarms(repeats, (seed) =>
      compareSamples(packets(latencies(random, 1000)), packets(latencies(random, 1000)), {
        ...options,
        seed,
      }),
    );
    // 10 are expected; a true rate of 5 % gives 2 to 21 with a chance of 0.999.
    for (const count of [shown.p50, shown.p99]) {
      expect(count).toBeGreaterThanOrEqual(2);
      expect(count).toBeLessThanOrEqual(21);
    }
    expect(shown.max).toBe(0);
  }, 120_000);

  test('with rounds that differ among themselves, drawing rounds keeps the rate; drawing packets would not', () => {
    const random = seededRandom(12);
    const rounds = () =>
      Array.from({ length: fewestRounds }, () => latencies(random, 100, 3000 * random.uniform()));
    const repeats = 200;
    const asRounds = alarms(repeats, (seed) =>
      compareSamples(inRounds(rounds()), inRounds(rounds()), { ...options, seed }),
    );
    const asPackets = alarms(repeats, (seed) =>
      compareSamples(packets(rounds().flat()), packets(rounds().flat()), { ...options, seed }),
    );
    // 10 are expected; a true rate of 5 % gives at most 20 with a chance of 0.999.
    expect(asRounds.p50).toBeLessThanOrEqual(20);
    expect(asRounds.ranks).toBeLessThanOrEqual(20);
    expect(asPackets.p50).toBeGreaterThan(30);
    // Of packets there is no test at all.
    expect(asPackets.ranks).toBe(0);
  }, 120_000);

  test('interleaved rounds take a drift that both sides share out of the difference', () => {
    const random = seededRandom(13);
    const drift = Array.from({ length: 20 }, (_, round) => round * 500);
    const first = inRounds(drift.map((shift) => latencies(random, 200, shift)));
    const second = inRounds(drift.map((shift) => latencies(random, 200, shift + 1000)));
    const paired = compareSamples(first, second, { ...options, interleaved: true });
    const apart = compareSamples(first, second, options);
    expect([paired.unit, apart.unit]).toEqual(['round-pairs', 'rounds']);
    expect(verdict(paired, 'p50')).toBe('slower');
    const width = ({ differences }: SampleComparison) =>
      (differences[0]?.interval[1] ?? 0) - (differences[0]?.interval[0] ?? 0);
    expect(width(paired)).toBeLessThan(width(apart) / 2);
  });

  test('finds a shift that is there, on the right side, with the true size inside the interval', () => {
    const random = seededRandom(14);
    const slow = packets(latencies(random, 1000, 1000));
    const fast = packets(latencies(random, 1000));
    const [median] = compareSamples(slow, fast, options).differences;
    expect(median?.verdict).toBe('faster');
    expect(median?.interval[0]).toBeLessThan(-1000);
    expect(median?.interval[1]).toBeGreaterThan(-1000);
    expect(verdict(compareSamples(fast, slow, options), 'p50')).toBe('slower');
  });

  test('takes no difference within the tolerance for one', () => {
    const random = seededRandom(15);
    const [first, second] = [packets(latencies(random, 1000)), packets(latencies(random, 1000, 1000))];
    expect(verdict(compareSamples(first, second, options), 'p50')).toBe('slower');
    const tolerant = { ...options, repeatTolerance: () => 5000 };
    expect(verdict(compareSamples(first, second, tolerant), 'p50')).toBe('no-difference-shown');
  });

  test('does not judge a p99 of few packets, nor ever a maximum', () => {
    const random = seededRandom(16);
    const [first, second] = [packets(latencies(random, 500)), packets(latencies(random, 500, 90_000))];
    const comparison = compareSamples(first, second, options);
    expect(['p50', 'p99', 'max'].map((name) => verdict(comparison, name))).toEqual([
      'slower',
      'not-judged',
      'not-judged',
    ]);
  });

  test('is the same for the same seed', () => {
    const random = seededRandom(17);
    const [first, second] = [packets(latencies(random, 300)), packets(latencies(random, 300))];
    expect(compareSamples(first, second, options)).toEqual(compareSamples(first, second, options));
  });
});

describe('bootstrap', () => {
  test("draws a median as Efron's exact probabilities have it", () => {
    // Efron, Bootstrap Methods: Another Look at the Jackknife, Annals of Statistics 7 (1979), section 3: for 13
    // values, how often the resample's median is the i-th of them.
    const published = [
      0, 0.0015, 0.0142, 0.055, 0.1242, 0.1936, 0.223, 0.1936, 0.1242, 0.055, 0.0142, 0.0015, 0,
    ];
    const random = seededRandom(1);
    const counts = new Float64Array(13).fill(1);
    const draws = 20_000;
    const seen = new Array<number>(13).fill(0);
    for (let index = 0; index < draws; index++) {
      const bins = [...drawPackets(counts, random)].map((count, value) => ({ value, count, width: 0 }));
      const median = quantileBin({ bins, total: 13 }, 0.5)?.value ?? -1;
      seen[median] = (seen[median] ?? 0) + 1;
    }
    published.forEach((probability, place) => {
      const error = Math.sqrt((probability * (1 - probability)) / draws);
      expect(Math.abs((seen[place] ?? 0) / draws - probability)).toBeLessThan(4 * error + 0.0001);
    });
  });

  test('draws a nearest-rank quantile as HDR histograms have it', () => {
    const values = Array.from({ length: 1000 }, (_, index) => index + 1);
    expect([0.5, 0.99, 0.999, 1].map((share) => quantileBin(fromValues(values), share)?.value)).toEqual([
      500, 990, 999, 1000,
    ]);
  });
});
