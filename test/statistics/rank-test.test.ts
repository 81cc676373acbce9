// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from 'vitest';
import { fromValues } from '../../src/statistics/distribution.js';
import { rankTest } from '../../src/statistics/rank-test.js';

/** Hollander and Wolfe, Nonparametric Statistical Methods (1973), page 69: permeability of human chorioamnion. */
const atTerm = [0.8, 0.83, 1.89, 1.04, 1.45, 1.38, 1.91, 1.64, 0.73, 1.46];
const weeks12To26 = [1.15, 0.88, 0.9, 0.74, 1.21];

describe('Mann-Whitney test', () => {
  test("gives Hollander and Wolfe's W = 35 for their table 4.1 (R's wilcox.test example)", () => {
    const { u, p, whyNot } = rankTest(fromValues(weeks12To26), fromValues(atTerm));
    expect(u).toBe(35);
    expect(p).toBeNull();
    expect(whyNot).toContain('fewer than 8');
  });

  test("gives scipy's worked example: U of 17 and 3, the smaller side too small for a p", () => {
    // scipy.stats.mannwhitneyu's documentation: ages at diagnosis, U1 = 17, U2 = 4 * 5 - 17 = 3.
    const males = fromValues([19, 22, 16, 29, 24]);
    const females = fromValues([20, 11, 17, 12]);
    expect(rankTest(females, males).u).toBe(17);
    expect(rankTest(males, females).u).toBe(3);
  });

  test("gives R's normal approximation for R's own sleep data, which has ties", () => {
    // Student's sleep data (R, datasets::sleep): wilcox.test(extra ~ group, data = sleep, exact = FALSE) prints
    // W = 25.5, p-value = 0.06933.
    const drug1 = fromValues([0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0]);
    const drug2 = fromValues([1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4]);
    const { u, p } = rankTest(drug2, drug1);
    expect(u).toBe(25.5);
    expect(p).toBeCloseTo(0.06933, 5);
  });

  test('gives the p of a worked example with ties across sides of unlike size', () => {
    // https://endmemo.com/r/wilcoxon.php: W = 51.5, p-value = 0.5966, with continuity correction.
    const x = fromValues([1, 5, 9, 24, 56, 21, 3, 7, 21, 4]);
    const y = fromValues([12, 15, 5, 9, 9, 14, 56, 22, 3, 7, 32, 5]);
    const { u, p } = rankTest(y, x);
    expect(u).toBe(51.5);
    expect(p).toBeCloseTo(0.5966, 4);
  });

  test('says that samples which are all the same cannot be ranked', () => {
    const same = fromValues(Array.from({ length: 20 }, () => 5));
    expect(rankTest(same, same)).toMatchObject({ secondAbove: 0.5, p: null });
  });

  test('gives one result for binned and for single values', () => {
    const a = [1, 1, 2, 3, 3, 3, 4, 5, 6];
    const b = [2, 2, 3, 4, 4, 5, 6, 6, 7];
    const single = rankTest(fromValues(a), fromValues(b));
    // The definition: pairs in which the second is above, ties one half.
    let u = 0;
    for (const x of a) for (const y of b) u += y > x ? 1 : y === x ? 0.5 : 0;
    expect(single.u).toBe(u);
  });
});
