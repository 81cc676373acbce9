// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from 'vitest';
import { normalUpperTail, t975 } from '../../src/statistics/normal.js';

describe('normal and t', () => {
  // NIST/SEMATECH e-Handbook of Statistical Methods, 1.3.6.7.1 and 1.3.6.7.2.
  test.each([
    [0, 0.5],
    [1, 0.158655],
    [1.645, 0.049985],
    [1.96, 0.024998],
    [-1, 0.841345],
  ])('P(Z > %f) is %f', (z, p) => {
    expect(normalUpperTail(z)).toBeCloseTo(p, 6);
  });

  test.each([
    [5, 2.571],
    [9, 2.262],
    [19, 2.093],
    [30, 2.042],
    [100, 1.984],
  ])('the 0.975 quantile of t with %i degrees of freedom is %f', (degrees, quantile) => {
    expect(t975(degrees)).toBeCloseTo(quantile, 2.8);
  });
});
