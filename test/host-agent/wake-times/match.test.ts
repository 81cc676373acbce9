// SPDX-License-Identifier: Apache-2.0
import { expect, test } from 'vitest';
import { dateSleeps } from '../../../host-agent/wake-times/match.js';

const sleeps = [
  { before: 100n, after: 200n },
  { before: 300n, after: 400n },
  { before: 500n, after: 600n },
];

test.each([
  ['one in each', [150n, 399n, 500n], [50n, 1n, 100n], 0, []],
  ['the first of several', [110n, 190n, 310n, 320n, 600n], [90n, 90n, 0n], 0, []],
  ['none from before a sleep, which woke nobody', [50n, 99n, 250n, 320n, 450n], [80n], 2, []],
  ['none at all', [], [], 3, []],
  ['those after the last sleep are kept', [150n, 350n, 550n, 601n, 700n], [50n, 50n, 50n], 0, [601n, 700n]],
])('the interrupt of each sleep: %s', (_what, interrupts, cycles, undated, rest) => {
  expect(dateSleeps(sleeps, interrupts)).toEqual({ cycles, undated, rest });
});

test('without a sleep nothing is used up', () => {
  expect(dateSleeps([], [1n, 2n])).toEqual({ cycles: [], undated: 0, rest: [1n, 2n] });
});
