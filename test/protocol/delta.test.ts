// SPDX-License-Identifier: Apache-2.0
import { expect, test } from 'vitest';
import { HistogramDeltas } from '../../src/protocol/delta.js';
import { decodeWakes, noWakes } from '../../src/protocol/histogram.js';
import { encodeHistogram } from '../../src/support/hdr/histogram.js';

const highest = 60_000_000_000;

/** Every value that a histogram tells apart from others, with its count. */
function values(text: string): string[] {
  const histogram = decodeWakes(text);
  return Array.from({ length: 1001 }, (_none, at) => histogram.getValueAtPercentile(at / 10)).map(
    (value, at) => `${at}: ${histogram.totalCount === 0 ? 'none' : value}`,
  );
}

test.each([
  ['values here and there', [[2100, 2100, 19_004], [], [50, 7_000_000], [1, highest, 2047, 2048]]],
  ['many of one value', [Array(70_000).fill(5), Array(3).fill(5), [4, 6]]],
  ['nothing at all', [[], []]],
  ['every place at once', [Array.from({ length: 4096 }, (_none, at) => at + 1), [3000]]],
])('what is new is what the library subtracts: %s', (_what, rounds) => {
  const deltas = new HistogramDeltas();
  const all = noWakes();
  for (const round of rounds) {
    const expected = noWakes();
    for (const value of round) {
      all.recordValue(value);
      expected.recordValue(value);
    }
    const { count, histogram } = deltas.take(encodeHistogram(all));
    expect(count).toBe(round.length);
    expect(decodeWakes(histogram).totalCount).toBe(round.length);
    expect(values(histogram)).toEqual(values(encodeHistogram(expected)));
  }
});

const cumulative = (...recorded: number[]) => {
  const histogram = noWakes();
  for (const value of recorded) histogram.recordValue(value);
  return encodeHistogram(histogram);
};

test.each([
  ['fewer of a value', [5, 5, 9], [5, 9]],
  ['a value that is gone, below', [5, 9], [9, 9]],
  ['a value that is gone, above', [5, 9], [5, 5]],
])('refuses counts that went back: %s', (_what, before, after) => {
  const deltas = new HistogramDeltas();
  deltas.take(cumulative(...before));
  expect(() => deltas.take(cumulative(...after))).toThrow('a count went back');
});

test.each(['', 'AAAAAAAA', 'not base64'])('refuses what is no histogram: %j', (text) => {
  expect(() => new HistogramDeltas().take(text)).toThrow();
});
