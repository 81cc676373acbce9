// SPDX-License-Identifier: Apache-2.0
import { type Distribution, pool, rankOf } from './distribution.js';
import { normalUpperTail, t975, z975 } from './normal.js';
import type { Random } from './random.js';

/** From this many rounds on each side, rounds are resampled instead of packets. */
export const fewestRounds = 10;
export const confidence = 0.95;

/** One side of a comparison: its samples, and the rounds they came in where these are known. */
export interface Sample {
  all: Distribution;
  rounds: readonly Distribution[];
}

/**
 * What was drawn anew: single packets; whole rounds of each side; or rounds of both sides together, where each
 * round of one side has its counterpart in time.
 */
export type ResampledUnit = 'packets' | 'rounds' | 'round-pairs';

/** Whether rounds can be drawn; where not, packets are, as if each were independent of its neighbours. */
export function unitFor(first: Sample, second: Sample, interleaved: boolean): ResampledUnit {
  const [rounds, others] = [first.rounds.length, second.rounds.length];
  if (Math.min(rounds, others) < fewestRounds) return 'packets';
  return interleaved && rounds === others ? 'round-pairs' : 'rounds';
}

/** A side ready to be drawn from: counts by place in one ascending list of values. */
interface Urn {
  values: readonly number[];
  counts: Float64Array;
  rounds: readonly { places: readonly number[]; counts: readonly number[] }[];
}

function urnOf({ all, rounds }: Sample, unit: ResampledUnit): Urn {
  // The rounds' own bins can differ from the pool's, each held within its own minimum and maximum.
  const { bins } = unit === 'packets' ? all : pool(rounds);
  const place = new Map(bins.map((bin, index) => [bin.value, index]));
  return {
    values: bins.map((bin) => bin.value),
    counts: Float64Array.from(bins, (bin) => bin.count),
    rounds: rounds.map((round) => ({
      places: round.bins.map((bin) => place.get(bin.value) ?? 0),
      counts: round.bins.map((bin) => bin.count),
    })),
  };
}

/** As many packets as there are, drawn with replacement: a multinomial draw of the counts. */
export function drawPackets(counts: Float64Array, random: Random): Float64Array {
  const drawn = new Float64Array(counts.length);
  let left = counts.reduce((sum, count) => sum + count, 0);
  let remaining = left;
  for (let place = 0; place < counts.length && left > 0; place++) {
    const count = counts[place] ?? 0;
    const taken = count === remaining ? left : random.binomial(left, count / remaining);
    drawn[place] = taken;
    remaining -= count;
    left -= taken;
  }
  return drawn;
}

function drawRounds(urn: Urn, chosen: readonly number[]): Float64Array {
  const drawn = new Float64Array(urn.values.length);
  for (const index of chosen) {
    const round = urn.rounds[index];
    round?.places.forEach((place, at) => {
      drawn[place] = (drawn[place] ?? 0) + (round.counts[at] ?? 0);
    });
  }
  return drawn;
}

function quantilesOf(values: readonly number[], counts: Float64Array, shares: readonly number[]): number[] {
  const upTo = new Float64Array(counts.length);
  let total = 0;
  counts.forEach((count, place) => {
    total += count;
    upTo[place] = total;
  });
  return shares.map((share) => {
    const rank = rankOf(share, total);
    return values[upTo.findIndex((seen) => seen >= rank)] ?? 0;
  });
}

/**
 * Percentile bootstrap intervals (95 %) of the difference, second less first, at each of `shares`.
 *
 * Where rounds are drawn the interval is expanded for their small number, as Hesterberg (What Teachers Should Know
 * About the Bootstrap, The American Statistician 69, 2015, section 3.4): with k rounds the tails are those of
 * sqrt(k / (k - 1)) t(k - 1).
 */
export function bootstrapIntervals(
  first: Sample,
  second: Sample,
  options: { unit: ResampledUnit; shares: readonly number[]; resamples: number; random: Random },
): [low: number, high: number][] {
  const { unit, shares, resamples, random } = options;
  const differences = shares.map(() => new Float64Array(resamples));
  const [a, b] = [urnOf(first, unit), urnOf(second, unit)];
  const choose = (urn: Urn) => urn.rounds.map(() => random.index(urn.rounds.length));
  const draw = () => {
    if (unit === 'packets') return [drawPackets(a.counts, random), drawPackets(b.counts, random)] as const;
    const chosen = choose(a);
    return [drawRounds(a, chosen), drawRounds(b, unit === 'round-pairs' ? chosen : choose(b))] as const;
  };
  for (let index = 0; index < resamples; index++) {
    const [ofFirst, ofSecond] = draw();
    const low = quantilesOf(a.values, ofFirst, shares);
    const high = quantilesOf(b.values, ofSecond, shares);
    differences.forEach((column, place) => {
      column[index] = (high[place] ?? 0) - (low[place] ?? 0);
    });
  }
  const tail = unit === 'packets' ? (1 - confidence) / 2 : expandedTail(first, second);
  return differences.map((column) => {
    column.sort();
    const low = Math.max(0, Math.ceil(tail * resamples) - 1);
    return [column[low] ?? 0, column[resamples - 1 - low] ?? 0];
  });
}

function expandedTail(first: Sample, second: Sample): number {
  const rounds = Math.min(first.rounds.length, second.rounds.length);
  return normalUpperTail(Math.max(z975, Math.sqrt(rounds / (rounds - 1)) * t975(rounds - 1)));
}
