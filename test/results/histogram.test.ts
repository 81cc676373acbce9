// SPDX-License-Identifier: Apache-2.0
import { deflateSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { decodeHistogram, distributionOf, emptyHistogram } from '../../src/results/histogram.js';
import { quantileBin } from '../../src/statistics/distribution.js';
import { seededRandom } from '../../src/statistics/random.js';
import { VmcallError } from '../../src/support/errors.js';
import { encodeHistogram } from '../../src/support/hdr/histogram.js';

/** The compressed form around a plain one. */
function packed(plain: Buffer): string {
  const deflated = deflateSync(plain);
  const head = Buffer.alloc(8);
  head.writeInt32BE(0x1c849314, 0);
  head.writeInt32BE(deflated.length, 4);
  return Buffer.concat([head, deflated]).toString('base64');
}

function header(digits: number, lowest: bigint, highest: bigint): Buffer {
  const plain = Buffer.alloc(40);
  plain.writeInt32BE(0x1c849313, 0);
  plain.writeInt32BE(1, 8);
  plain.writeInt32BE(digits, 12);
  plain.writeBigInt64BE(lowest, 16);
  plain.writeBigInt64BE(highest, 24);
  plain.writeDoubleBE(1, 32);
  return plain;
}

describe('histograms', () => {
  test('come back with their counts, within the exact extremes', () => {
    const histogram = emptyHistogram();
    for (let value = 40_001; value <= 41_000; value++) histogram.recordValue(value);
    const { bins, total } = distributionOf(encodeHistogram(histogram), { min: 40_001, max: 41_000 });
    expect(total).toBe(1000);
    expect(bins.at(-1)?.value).toBe(41_000);
    expect(bins.every(({ width }) => width === 32)).toBe(true);
    for (const [share, percent] of [
      [0.5, 50],
      [0.99, 99],
    ] as const)
      expect(quantileBin({ bins, total }, share)?.value).toBe(histogram.getValueAtPercentile(percent));
  });

  test.each([
    ['no base64', '!!!'],
    ['another cookie', Buffer.from('0123456789').toString('base64')],
    ['what does not inflate', Buffer.from([0x1c, 0x84, 0x93, 0x14, 0, 0, 0, 2, 1, 2]).toString('base64')],
    ['more than a histogram can be', packed(Buffer.alloc(80 * 2 ** 20))],
    ['six significant digits', packed(header(6, 1n, 1000n))],
    ['a range beyond whole numbers', packed(header(3, 1n, 2n ** 62n))],
    ['a range upside down', packed(header(3, 1000n, 10n))],
  ])('%s is refused', (_, base64) => {
    expect(() => decodeHistogram(base64)).toThrow(expect.objectContaining({ code: 'HISTOGRAM_BROKEN' }));
  });

  test('broken in any byte they are read or refused, never worse', () => {
    const histogram = emptyHistogram();
    for (let value = 1; value < 5000; value += 7) histogram.recordValue(value * 13);
    const random = seededRandom(1);
    const whole = Buffer.from(encodeHistogram(histogram), 'base64');
    const plain = header(3, 1n, 100_000n);
    let refused = 0;
    for (let round = 0; round < 400; round++) {
      const inner = Buffer.concat([plain, Buffer.from(Array.from({ length: 60 }, () => random.index(256)))]);
      inner.writeInt32BE(random.index(100), 4);
      const bytes = Buffer.from(whole);
      bytes[random.index(bytes.length)] = random.index(256);
      for (const base64 of [bytes.toString('base64'), packed(inner)])
        try {
          distributionOf(base64, { min: 0, max: 1e9 });
        } catch (error) {
          expect(error).toBeInstanceOf(VmcallError);
          refused++;
        }
    }
    expect(refused).toBeGreaterThan(0);
  });
});
