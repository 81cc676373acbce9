// SPDX-License-Identifier: Apache-2.0
import { inflateSync } from 'node:zlib';
import { compressedHeaderBytes, cookies, type HdrShape, headerBytes } from './format.js';

/** Most histograms of a second are no longer; the library's own 16 KiB to inflate into are slower to come by. */
const usualBytes = 4096;

/** What a histogram from anyone may be. */
export interface HdrBounds {
  /** Characters of the base64. */
  readonly characters?: number;
  /** Bytes once inflated. */
  readonly bytes: number;
  /** Exactly this shape; any without it. */
  readonly shape?: HdrShape;
}

/** What stands before the counts, and the counts as they are encoded. */
export interface HdrV2 extends HdrShape {
  readonly indexOffset: number;
  readonly counts: Buffer;
}

const cookieAt = (bytes: Buffer) => (bytes.readInt32BE(0) & ~0xf0) >>> 0;

/**
 * Opens HDR V2, compressed, in base64, which may come from anyone.
 * @throws Error that says what is wrong with it
 */
export function openHdrV2(base64: string, { characters, bytes, shape }: HdrBounds): HdrV2 {
  if (characters !== undefined && base64.length > characters) throw new Error(`${base64.length} characters`);
  const opened = inflateHdrV2(base64, bytes);
  if (shape === undefined) return opened;
  const { indexOffset, digits, lowest, highest } = opened;
  if (indexOffset !== 0) throw new Error('a normalizing index offset');
  if (digits !== shape.digits || lowest !== shape.lowest || highest !== shape.highest)
    throw new Error(`${lowest} to ${highest} with ${digits} digits`);
  return opened;
}

function inflateHdrV2(base64: string, largest: number): HdrV2 {
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
