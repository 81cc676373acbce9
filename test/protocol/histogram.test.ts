// SPDX-License-Identifier: Apache-2.0
import { deflateSync, inflateSync } from 'node:zlib';
import * as hdr from 'hdr-histogram-js';
import { describe, expect, test } from 'vitest';
import { decodeHistogram, emptyHistogram, encodeHistogram } from '../../src/protocol/histogram.js';
import { limits } from '../../src/protocol/limits.js';

/** Of an empty histogram, as vmcall-dataplane gives it (guest-agent/dataplane/hdr.c). */
const fromDataplane = 'HISTFAAAAB142pNpmSzMgADMUJoRiHl/uEcw2H+ACAAATN8EHg==';

function pack(plain: Buffer): string {
  const packed = deflateSync(plain);
  const header = Buffer.alloc(8);
  header.writeUInt32BE(0x1c849314, 0);
  header.writeUInt32BE(packed.length, 4);
  return Buffer.concat([header, packed]).toString('base64');
}

function plainOf(text: string): Buffer {
  return inflateSync(Buffer.from(text, 'base64').subarray(8));
}

describe('a histogram', () => {
  test('of the dataplane is read', () => {
    expect(decodeHistogram(fromDataplane).totalCount).toBe(0);
  });

  test('goes there and back, with the header that the format has', () => {
    const histogram = emptyHistogram();
    for (const value of [1, 999, 2100, 2101, 19_004, 59_999_999_999]) histogram.recordValue(value);
    const text = encodeHistogram(histogram);
    const again = decodeHistogram(text);
    expect(again.totalCount).toBe(6);
    expect(again.getValueAtPercentile(50)).toBe(histogram.getValueAtPercentile(50));
    const [plain, theirs] = [plainOf(text), plainOf(fromDataplane)];
    expect(plain.subarray(8, 40)).toEqual(theirs.subarray(8, 40));
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
    expect(() => decodeHistogram(text)).toThrow(expect.objectContaining({ code: 'HISTOGRAM_INVALID' }));
  });
});
