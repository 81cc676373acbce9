// SPDX-License-Identifier: Apache-2.0
import { inflateSync } from 'node:zlib';
import * as hdr from 'hdr-histogram-js';
import { describe, expect, test } from 'vitest';
import { seededRandom } from '../../src/statistics/random.js';
import { buildHistogram, encodeHistogram, readHistogram } from '../../src/support/hdr/histogram.js';

const bounds = { bytes: 2 ** 20 };

/** Values of some 10 decades, one of them often, one beside another. */
function recorded(seed: number, shape: { digits: number; lowest: bigint; highest: bigint }) {
  const random = seededRandom(seed);
  const histogram = buildHistogram(shape, true);
  for (let at = 0; at < 500; at++) histogram.recordValue(Math.floor(10 ** (random.uniform() * 10)));
  histogram.recordValueWithCount(70_000, 3_000_000_000);
  for (const value of [2000, 2002, 2004]) histogram.recordValue(value);
  return histogram;
}

const plainOf = (text: string) => inflateSync(Buffer.from(text, 'base64').subarray(8));

describe.each([
  { digits: 3, lowest: 1n, highest: 60_000_000_000n },
  { digits: 3, lowest: 1n, highest: 2n },
  { digits: 2, lowest: 1000n, highest: 2n ** 40n },
  { digits: 0, lowest: 1n, highest: 1000n },
  { digits: 5, lowest: 1n, highest: 100_000_000n },
])('a histogram of $digits digits from $lowest to $highest', (shape) => {
  const histogram = recorded(shape.digits + 1, shape);
  const text = encodeHistogram(histogram);

  test('has the counts that the library writes, byte for byte, and the header that it does not', () => {
    const [ours, theirs] = [plainOf(text), plainOf(hdr.encodeIntoCompressedBase64(histogram))];
    theirs.writeInt32BE(0, 8);
    theirs.writeDoubleBE(1, 32);
    expect(ours.equals(theirs)).toBe(true);
  });

  test('comes back as the library reads it', () => {
    const [ours, theirs] = [readHistogram(text, bounds), hdr.decodeFromCompressedBase64(text, 64)];
    expect(ours.toJSON()).toEqual(theirs.toJSON());
    if (!(theirs instanceof hdr.JsHistogram)) throw new Error('another kind');
    const countsOf = (of: hdr.JsHistogram) =>
      Array.from({ length: of.countsArrayLength }, (_, place) => of.getCountAtIndex(place)).join();
    expect(countsOf(ours)).toBe(countsOf(theirs));
    expect([ours.minNonZeroValue, ours.maxValue]).toEqual([theirs.minNonZeroValue, theirs.maxValue]);
    expect(ours.totalCount).toBe(histogram.totalCount);
  });

  test('is refused where another shape is agreed on, or a shorter text or fewer bytes', () => {
    const whole = readHistogram(text, bounds);
    const same = {
      digits: shape.digits,
      lowest: shape.lowest,
      highest: BigInt(whole.highestTrackableValue),
    };
    expect(readHistogram(text, { ...bounds, shape: same }).totalCount).toBe(histogram.totalCount);
    const other = { ...same, highest: same.highest + 1n };
    expect(() => readHistogram(text, { ...bounds, shape: other })).toThrow(`to ${same.highest} with`);
    expect(() => readHistogram(text, { ...bounds, characters: text.length - 1 })).toThrow('characters');
    expect(() => readHistogram(text, { bytes: 50 })).toThrow();
  });
});
