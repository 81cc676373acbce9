// SPDX-License-Identifier: Apache-2.0

/** The 0.975 quantile of the standard normal distribution. */
export const z975 = 1.959963984540054;

/**
 * The standard normal distribution's upper tail, P(Z > z). Absolute error below 7.5e-8
 * (Abramowitz and Stegun, Handbook of Mathematical Functions, 26.2.17).
 */
export function normalUpperTail(z: number): number {
  if (z < 0) return 1 - normalUpperTail(-z);
  const t = 1 / (1 + 0.2316419 * z);
  const polynomial =
    t * (0.31938153 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))));
  return (Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI)) * polynomial;
}

/** The 0.975 quantile of Student's t with 1 to 4 degrees of freedom, where the expansion does not hold. */
const fewDegrees = [12.706, 4.303, 3.182, 2.776] as const;

/**
 * The 0.975 quantile of Student's t with `degrees` degrees of freedom (at least 1), from 5 on by the expansion in
 * Abramowitz and Stegun, 26.7.5; better than 0.001.
 */
export function t975(degrees: number): number {
  const few = fewDegrees[degrees - 1];
  if (few !== undefined) return few;
  const x = z975;
  const g1 = (x ** 3 + x) / 4;
  const g2 = (5 * x ** 5 + 16 * x ** 3 + 3 * x) / 96;
  const g3 = (3 * x ** 7 + 19 * x ** 5 + 17 * x ** 3 - 15 * x) / 384;
  const g4 = (79 * x ** 9 + 776 * x ** 7 + 1482 * x ** 5 - 1920 * x ** 3 - 945 * x) / 92160;
  return x + g1 / degrees + g2 / degrees ** 2 + g3 / degrees ** 3 + g4 / degrees ** 4;
}
