// SPDX-License-Identifier: Apache-2.0
import { expect, test } from 'vitest';
import { BackOff } from '../../src/support/back-off.js';

test('back-off doubles up to its bound, jittered downwards by half at most, and starts again', () => {
  const high = new BackOff(500, 30_000, () => 1);
  expect(Array.from({ length: 9 }, () => high.next())).toEqual([
    500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000,
  ]);
  high.reset();
  expect(high.next()).toBe(500);
  const low = new BackOff(500, 30_000, () => 0);
  expect([low.next(), low.next(), low.longest()]).toEqual([250, 500, 15_000]);
});
