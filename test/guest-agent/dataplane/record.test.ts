// SPDX-License-Identifier: Apache-2.0
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { measureRecordCost, recordCostMost, recordCostProgram } from '../../../src/bench/record-cost.js';
import { decodeWakes, noWakes } from '../../../src/protocol/histogram.js';

const timeout = 120_000;

test(`counting costs at most ${recordCostMost} instructions a packet`, { timeout }, async () => {
  const { wake, packet } = await measureRecordCost();
  expect(wake).toBeGreaterThan(5);
  expect(packet).toBeGreaterThan(wake);
  expect(packet).toBeLessThanOrEqual(recordCostMost);
});

const highest = 60_000_000_000;

test.each([
  ['ascending', [1, 2, 3, 2047, 2048, 2049, 5000, 123_456, 7_000_000, highest]],
  ['descending', [highest, 7_000_000, 123_456, 5000, 2048, 2047, 1]],
  ['inside what is known', [10, 1_000_000, 500, 500, 500, 999_999, 11, 10, 1_000_000]],
  ['one', [4711]],
  ['none', []],
  ['above the highest, first and again', [highest + 5, highest + 1, highest, 3, highest + 5, 7]],
])('values are counted as the library counts them: %s', { timeout }, async (_what, values) => {
  const { stdout } = await execa(await recordCostProgram(), ['values'], { input: values.join('\n') });
  const { data, ...exact } = JSON.parse(stdout) as Record<string, string>;
  expect(exact).toEqual({
    count: String(values.length),
    sum: String(values.reduce((sum, value) => sum + value, 0)),
    min: values.length === 0 ? '18446744073709551615' : String(Math.min(...values)),
    max: String(Math.max(0, ...values)),
  });
  const expected = noWakes();
  for (const value of values) expected.recordValue(Math.min(value, highest));
  const counted = decodeWakes(data ?? '');
  const percentiles = (histogram: typeof expected) =>
    Array.from({ length: 101 }, (_none, at) => histogram.getValueAtPercentile(at));
  expect(percentiles(counted)).toEqual(percentiles(expected));
  expect(counted.totalCount).toBe(values.length);
});
