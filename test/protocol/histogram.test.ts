// SPDX-License-Identifier: Apache-2.0
import { deflateSync, inflateSync } from 'node:zlib';
import * as hdr from 'hdr-histogram-js';
import { describe, expect, test } from 'vitest';
import { decodeWakes, noWakes, readHistogramBins } from '../../src/protocol/histogram.js';
import { limits } from '../../src/protocol/limits.js';
import { encodeHistogram } from '../../src/support/hdr/histogram.js';

/** Of an empty histogram, as vmcall-dataplane gives it (guest-agent/library/measure/hdr.c). */
const fromDataplane = 'HISTFAAAAB142pNpmSzMgADMUJoRiHl/uEcw2H+ACAAATN8EHg==';

function pack(plain: Buffer): string {
  const packed = deflateSync(plain);
  const header = Buffer.alloc(8);
  header.writeUInt32BE(0x1c849314, 0);
  header.writeUInt32BE(packed.length, 4);
  return Buffer.concat([header, packed]).toString('base64');
}

function binsOf(text: string) {
  const { length, values, counts } = readHistogramBins(text);
  return Array.from({ length }, (_, at) => ({ value: values[at], count: counts[at] }));
}

function plainOf(text: string): Buffer {
  return inflateSync(Buffer.from(text, 'base64').subarray(8));
}

describe('a histogram', () => {
  test('of the dataplane is read', () => {
    expect(decodeWakes(fromDataplane).totalCount).toBe(0);
  });

  test('goes there and back, with the header that the format has', () => {
    const histogram = noWakes();
    for (const value of [1, 999, 2100, 2101, 19_004, 59_999_999_999]) histogram.recordValue(value);
    const text = encodeHistogram(histogram);
    const again = decodeWakes(text);
    expect(again.totalCount).toBe(6);
    expect(again.getValueAtPercentile(50)).toBe(histogram.getValueAtPercentile(50));
    const [plain, theirs] = [plainOf(text), plainOf(fromDataplane)];
    expect(plain.subarray(8, 40)).toEqual(theirs.subarray(8, 40));
  });

  test('gives its bins without a place for the others, as the library has them', () => {
    const values = [1, 2, 999, 2047, 2048, 2049, 4095, 4096, 19_004, 1_234_567, 987_654_321, 60_000_000_000];
    const histogram = noWakes();
    for (const [at, value] of values.entries()) histogram.recordValueWithCount(value, at + 1);
    const bins = binsOf(encodeHistogram(histogram));
    if (!(histogram instanceof hdr.JsHistogram)) throw new Error('another kind');
    const theirs: typeof bins = [];
    const all = histogram.recordedValuesIterator;
    all.reset();
    while (all.hasNext()) {
      const { valueIteratedTo, countAddedInThisIterationStep } = all.next();
      theirs.push({ value: valueIteratedTo, count: countAddedInThisIterationStep });
    }
    expect(bins).toEqual(theirs);
    expect(binsOf(fromDataplane)).toEqual([]);
  });

  test.each([
    ['no base64 of one', 'AAAAAAAA'],
    ['cut short', fromDataplane.slice(0, -8)],
    ['another shape', hdr.encodeIntoCompressedBase64(hdr.build({ highestTrackableValue: 2 ** 40 }))],
    ['a bomb', pack(Buffer.alloc(50 * 1024 * 1024))],
    ['too long', 'A'.repeat(limits.histogramCharacters + 4)],
    [
      'a long run of zeros',
      (() => {
        const plain = Buffer.concat([
          plainOf(fromDataplane).subarray(0, 40),
          Buffer.from('ffffffffffffffffff', 'hex'),
        ]);
        plain.writeUInt32BE(9, 4);
        return pack(plain);
      })(),
    ],
  ])('that is %s is refused', (_what, text) => {
    for (const read of [decodeWakes, readHistogramBins])
      expect(() => read(text)).toThrow(expect.objectContaining({ code: 'HISTOGRAM_INVALID' }));
  });
});
