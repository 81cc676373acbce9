// SPDX-License-Identifier: Apache-2.0
import { expect, test } from 'vitest';
import { TokenBucket } from '../../src/session/token-bucket.js';

test('gives a burst at once and its rate after that, and saves no more than a burst', () => {
  const bucket = new TokenBucket(10, 3, 0);
  const taken = (now: number) => {
    let count = 0;
    while (bucket.take(now)) count++;
    return count;
  };
  expect(taken(0)).toBe(3);
  expect(taken(99)).toBe(0);
  expect(taken(100)).toBe(1);
  expect(taken(300)).toBe(2);
  expect(bucket.isFull(400)).toBe(false);
  expect(bucket.isFull(10_000)).toBe(true);
  expect(taken(10_000)).toBe(3);
});
