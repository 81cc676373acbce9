// SPDX-License-Identifier: Apache-2.0
import { deflateSync, inflateSync } from 'node:zlib';
import { encodeIntoCompressedBase64, type Histogram } from 'hdr-histogram-js';

/** The library's decoder inflates and allocates whatever a histogram asks for; this looks at it first. */

/** Cookies of the two V2 encodings, less the bits of the word size (HdrHistogram: AbstractHistogram.java). */
const cookies = { compressed: 0x1c849304, plain: 0x1c849303 } as const;
const compressedHeaderBytes = 8;
const headerBytes = 40;
/** Most histograms of a second are no longer; the library's own 16 KiB to inflate into are slower to come by. */
const usualBytes = 4096;

/** What stands before the counts, and the counts as they are encoded. */
export interface HdrV2 {
  indexOffset: number;
  digits: number;
  lowest: bigint;
  highest: bigint;
  counts: Buffer;
}

const cookieAt = (bytes: Buffer) => (bytes.readInt32BE(0) & ~0xf0) >>> 0;

/**
 * Opens HDR V2, compressed, in base64, which may come from anyone; inflates at most `largest` bytes.
 * @throws Error that says what is wrong with it
 */
export function openHdrV2(base64: string, largest: number): HdrV2 {
  const packed = Buffer.from(base64, 'base64');
  if (packed.length < compressedHeaderBytes || cookieAt(packed) !== cookies.compressed)
    throw new Error('it is not HDR V2, compressed');
  if (packed.readInt32BE(4) !== packed.length - compressedHeaderBytes)
    throw new Error('its length is not what it says');
  const plain = inflateSync(packed.subarray(compressedHeaderBytes), {
    maxOutputLength: largest,
    chunkSize: usualBytes,
  });
  if (plain.length < headerBytes || cookieAt(plain) !== cookies.plain)
    throw new Error('it has no HDR V2 header');
  const length = plain.readInt32BE(4);
  if (length < 0 || length > plain.length - headerBytes) throw new Error('its counts are cut short');
  return {
    indexOffset: plain.readInt32BE(8),
    digits: plain.readInt32BE(12),
    lowest: plain.readBigInt64BE(16),
    highest: plain.readBigInt64BE(24),
    counts: plain.subarray(headerBytes, headerBytes + length),
  };
}

/** Place for the words of all but the longest histograms, used again and again: each has as many as bins. */
const usualWords = new Float64Array(64 * 1024);

/**
 * The words of the counts: ZigZag LEB128 of at most nine bytes, a count each, or a run of empty places below zero.
 * They stand where the next call puts its own. One loop without a call: the host agent reads 1,500 of each guest a second.
 * @throws Error if it ends inside one
 */
export function hdrWords(counts: Buffer): Float64Array {
  const words = counts.length <= usualWords.length ? usualWords : new Float64Array(counts.length);
  let length = 0;
  for (let at = 0; at < counts.length; ) {
    const first = counts[at++] ?? 0;
    // Most are: a branch that spares the loop below.
    if (first < 0x80) {
      words[length++] = (first >> 1) ^ -(first & 1);
      continue;
    }
    let value = first & 0x7f;
    let weight = 128;
    for (let byte = 1; ; byte++) {
      const read = counts[at++];
      if (read === undefined) throw new Error('it ends inside a count');
      value += (byte === 8 ? read : read & 0x7f) * weight;
      if (byte === 8 || read < 0x80) break;
      weight *= 128;
    }
    words[length++] = value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }
  return words.subarray(0, length);
}

/**
 * Base64 of a histogram: HDR V2, compressed. hdr-histogram-js 3 writes a normalizing index offset of 1 and an integer
 * ratio, which it does not read itself but the format's other readers do: both are put right.
 */
export function encodeHistogram(histogram: Histogram): string {
  const theirs = Buffer.from(encodeIntoCompressedBase64(histogram), 'base64');
  const plain = inflateSync(theirs.subarray(compressedHeaderBytes));
  plain.writeInt32BE(0, 8);
  plain.writeDoubleBE(1, 32);
  const packed = deflateSync(plain, { level: 9 });
  const header = Buffer.from(theirs.subarray(0, compressedHeaderBytes));
  header.writeInt32BE(packed.length, 4);
  return Buffer.concat([header, packed]).toString('base64');
}

/** Values that a histogram does not tell apart, lowest to highest, and how often one of them was recorded. */
export interface HdrBin {
  low: number;
  high: number;
  count: number;
}

/**
 * The bins of a histogram of any range and precision that hold anything, lowest first. No place is made for the
 * others, whatever range the header asks for (HdrHistogram: AbstractHistogram.java, valueFromIndex).
 * @throws Error that says what is wrong with it
 */
export function* hdrBins({ digits, lowest, indexOffset, counts }: HdrV2): Generator<HdrBin> {
  if (digits < 0 || digits > 5) throw new Error(`${digits} significant digits; 0 to 5 are possible`);
  if (lowest < 1n || lowest > BigInt(Number.MAX_SAFE_INTEGER)) throw new Error(`a lowest value of ${lowest}`);
  // 1 is what hdr-histogram-js writes for none.
  if (indexOffset < 0 || indexOffset > 1) throw new Error(`its values are shifted by ${indexOffset} places`);
  const half = 2 ** (Math.ceil(Math.log2(2 * 10 ** digits)) - 1);
  const unit = 2 ** Math.floor(Math.log2(Number(lowest)));
  let place = 0;
  for (const word of hdrWords(counts)) {
    if (word < 0) {
      place -= word;
      continue;
    }
    if (word > 0) {
      const bucket = Math.max(0, Math.floor(place / half) - 1);
      const width = unit * 2 ** bucket;
      const low = (place - bucket * half) * width;
      const high = low + width - 1;
      if (high > Number.MAX_SAFE_INTEGER) throw new Error(`a value of ${low}`);
      if (word > Number.MAX_SAFE_INTEGER) throw new Error(`a count of ${word}`);
      yield { low, high, count: word };
    }
    place++;
  }
}
