// SPDX-License-Identifier: Apache-2.0
import { expect, test } from 'vitest';
import { mayTrace } from '../../../host-agent/wake-times/trace-budget.js';

test('a guest that changes its path with each report has its interrupts traced now and then, and others always', () => {
  let begun = 0;
  // Ten reports a second, for ten seconds.
  for (let at = 0; at < 10_000; at += 100) if (mayTrace('a', at)) begun++;
  expect(begun).toBe(9);
  expect(mayTrace('b', 10_000)).toBe(true);
  // A run of two paths, a second each and a second between them.
  for (let at = 100_000; at < 140_000; at += 4_000) expect(mayTrace('a', at)).toBe(true);
});
