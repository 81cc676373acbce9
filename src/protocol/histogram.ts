// SPDX-License-Identifier: Apache-2.0
import { deflateSync, inflateSync } from 'node:zlib';
import * as hdr from 'hdr-histogram-js';
import { VmcallError } from '../support/errors.js';
import { limits } from './limits.js';

export type Histogram = ReturnType<typeof hdr.build>;

/** The shape of every latency histogram here (guest-agent/dataplane/hdr.h): 1 ns to 60 s, three digits. */
export const histogramShape = { lowest: 1n, highest: 60_000_000_000n, digits: 3 } as const;

const compressedCookie = 0x1c849314;
const plainCookie = 0x1c849313;
const compressedHeader = 8;
const plainHeader = 40;

function bad(what: string): VmcallError {
  return new VmcallError(
    'HISTOGRAM_INVALID',
    `not an HDR histogram of the shape agreed on: ${what}`,
    'Use the same version of vmcall on both sides',
  );
}

/**
 * The histogram out of base64 (HDR V2, compressed), which may come from anybody: it is inflated to at most
 * `limits.histogramBytes` and must have the agreed shape before the library allocates by its header.
 * @throws VmcallError HISTOGRAM_INVALID
 */
export function decodeHistogram(text: string): Histogram {
  if (text.length > limits.histogramCharacters) throw bad(`${text.length} characters`);
  const packed = Buffer.from(text, 'base64');
  if (packed.length < compressedHeader || packed.readUInt32BE(0) !== compressedCookie)
    throw bad('not V2 compressed');
  if (packed.readUInt32BE(4) !== packed.length - compressedHeader) throw bad('cut short');
  const plain = inflate(packed.subarray(compressedHeader));
  if (plain.length < plainHeader || plain.readUInt32BE(0) !== plainCookie) throw bad('no V2 header');
  if (plain.readUInt32BE(4) !== plain.length - plainHeader) throw bad('counts cut short');
  if (plain.readInt32BE(8) !== 0) throw bad('a normalizing index offset');
  const [digits, lowest, highest] = [
    plain.readInt32BE(12),
    plain.readBigInt64BE(16),
    plain.readBigInt64BE(24),
  ];
  if (
    digits !== histogramShape.digits ||
    lowest !== histogramShape.lowest ||
    highest !== histogramShape.highest
  )
    throw bad(`${lowest} to ${highest} with ${digits} digits`);
  let histogram: Histogram;
  try {
    histogram = hdr.decodeFromCompressedBase64(text);
  } catch (error) {
    throw bad(error instanceof Error ? error.message : 'its counts cannot be read');
  }
  if (!Number.isSafeInteger(histogram.totalCount) || histogram.totalCount < 0) throw bad('negative counts');
  return histogram;
}

function inflate(packed: Buffer): Buffer {
  try {
    return inflateSync(packed, { maxOutputLength: limits.histogramBytes });
  } catch {
    throw bad('it does not inflate within the limit');
  }
}

/** An empty histogram of the agreed shape. */
export function emptyHistogram(): Histogram {
  return hdr.build({
    bitBucketSize: 64,
    lowestDiscernibleValue: Number(histogramShape.lowest),
    highestTrackableValue: Number(histogramShape.highest),
    numberOfSignificantValueDigits: histogramShape.digits,
    autoResize: false,
  });
}

/**
 * Base64 of the histogram: HDR V2, compressed. hdr-histogram-js 3 writes a normalizing index offset of 1 and an
 * integer ratio, which it does not read itself but the format's other readers do: both are put right.
 */
export function encodeHistogram(histogram: Histogram): string {
  const theirs = Buffer.from(hdr.encodeIntoCompressedBase64(histogram), 'base64');
  const plain = inflateSync(theirs.subarray(compressedHeader));
  plain.writeInt32BE(0, 8);
  plain.writeDoubleBE(1, 32);
  const packed = deflateSync(plain, { level: 9 });
  const header = Buffer.alloc(compressedHeader);
  header.writeUInt32BE(compressedCookie, 0);
  header.writeUInt32BE(packed.length, 4);
  return Buffer.concat([header, packed]).toString('base64');
}

/** What `later` has more than `earlier`; both cumulative. Changes `later`. */
export function subtractHistogram(later: Histogram, earlier: Histogram): Histogram {
  later.subtract(earlier);
  return later;
}
