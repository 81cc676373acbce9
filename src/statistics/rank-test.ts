// SPDX-License-Identifier: Apache-2.0
import type { Distribution } from './distribution.js';
import { normalUpperTail } from './normal.js';

/** Below this many samples on a side the normal approximation is not used (Mann and Whitney 1947). */
export const fewestForNormal = 8;

/** The Mann-Whitney test of two samples. */
export interface RankTest {
  /** How many pairs (one of each side) the second side has the higher value in; ties count one half. */
  u: number;
  /** `u` by the number of pairs: the chance that a sample of the second side is above one of the first. */
  secondAbove: number;
  /** Standard score, corrected for ties and for continuity; null where the approximation does not hold. */
  z: number | null;
  /** Two-sided; no less than 1e-6, beyond which the approximation says nothing. Null as `z`. */
  p: number | null;
  /** Why there is no `p`. */
  whyNot: string | null;
}

/**
 * Mann-Whitney's U over binned samples, with the normal approximation, correction for ties (each bin is a tie) and
 * for continuity: Lehmann, Nonparametrics (1975), 1.2 and 1.4.
 */
export function rankTest(first: Distribution, second: Distribution): RankTest {
  const counts = new Map<number, [number, number]>();
  for (const { value, count } of first.bins) counts.set(value, [count, 0]);
  for (const { value, count } of second.bins) counts.set(value, [counts.get(value)?.[0] ?? 0, count]);
  const pairs = first.total * second.total;
  const all = first.total + second.total;
  let u = 0;
  let firstBelow = 0;
  let ties = 0;
  for (const [, [inFirst, inSecond]] of [...counts].sort(([a], [b]) => a - b)) {
    u += inSecond * (firstBelow + inFirst / 2);
    firstBelow += inFirst;
    const tied = inFirst + inSecond;
    ties += tied ** 3 - tied;
  }
  const variance = (pairs / 12) * (all + 1 - ties / (all * (all - 1)));
  const without = (whyNot: string): RankTest => ({
    u,
    secondAbove: pairs > 0 ? u / pairs : 0.5,
    z: null,
    p: null,
    whyNot,
  });
  if (Math.min(first.total, second.total) < fewestForNormal)
    return without(`fewer than ${fewestForNormal} on a side: the normal approximation does not hold`);
  // Rounding leaves a trace of variance where every sample has the same value.
  if (counts.size === 1) return without('every sample has the same value');
  const off = u - pairs / 2;
  const z = (Math.sign(off) * Math.max(0, Math.abs(off) - 0.5)) / Math.sqrt(variance);
  const p = Math.min(1, Math.max(1e-6, 2 * normalUpperTail(Math.abs(z))));
  return { u, secondAbove: u / pairs, z, p, whyNot: null };
}
