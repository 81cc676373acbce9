// SPDX-License-Identifier: Apache-2.0
import { deflateSync } from 'node:zlib';
import { hdrWords, openHdrV2 } from '../support/hdr-v2.js';
import { histogramShape } from './histogram.js';
import { limits } from './limits.js';

/** Cookies of HDR V2 with counts as ZigZag LEB128 (HdrHistogram: AbstractHistogram.java). */
const plainCookie = 0x1c849313;
const compressedCookie = 0x1c849314;
const headerBytes = 40;
const wordBytes = 9;

/** Counts that are not zero, by their place, lowest first. */
interface Counts {
  places: number[];
  counts: number[];
}

/**
 * What cumulative histograms of the agreed shape have more, one after the other. Only places that hold anything are
 * looked at: the 27,000 of a whole histogram, several times a second, are most of what the guest agent would cost.
 */
export class HistogramDeltas {
  #last: Counts = { places: [], counts: [] };

  /**
   * @param text HDR V2, compressed, base64
   * @returns the same of what was recorded since the one before
   * @throws Error if it is none, or a count went back
   */
  take(text: string): { count: number; histogram: string } {
    const now = read(text);
    const delta = subtract(now, this.#last);
    this.#last = now;
    const count = delta.counts.reduce((sum, each) => sum + each, 0);
    return { count, histogram: write(delta) };
  }
}

function read(text: string): Counts {
  const { indexOffset, digits, lowest, highest, counts: payload } = openHdrV2(text, limits.histogramBytes);
  const { lowest: low, highest: high, digits: wanted } = histogramShape;
  if (indexOffset !== 0 || digits !== wanted || lowest !== low || highest !== high)
    throw new Error(`a histogram of ${lowest} to ${highest} with ${digits} digits`);
  const places: number[] = [];
  const counts: number[] = [];
  let place = 0;
  for (const word of hdrWords(payload)) {
    if (word > 0) {
      places.push(place);
      counts.push(word);
    }
    place += word < 0 ? -word : 1;
  }
  return { places, counts };
}

function subtract(now: Counts, before: Counts): Counts {
  const delta: Counts = { places: [], counts: [] };
  let at = 0;
  for (const [index, place] of now.places.entries()) {
    let count = now.counts[index] ?? 0;
    if (before.places[at] === place) count -= before.counts[at++] ?? 0;
    if (count < 0 || (before.places[at] ?? Number.POSITIVE_INFINITY) < place)
      throw new Error('a count went back');
    if (count === 0) continue;
    delta.places.push(place);
    delta.counts.push(count);
  }
  if (at < before.places.length) throw new Error('a count went back');
  return delta;
}

function write({ places, counts }: Counts): string {
  const plain = Buffer.alloc(headerBytes + places.length * 2 * wordBytes);
  let end = headerBytes;
  let next = 0;
  for (const [index, place] of places.entries()) {
    if (place > next) end = writeWord(plain, end, next - place);
    end = writeWord(plain, end, counts[index] ?? 0);
    next = place + 1;
  }
  plain.writeInt32BE(plainCookie, 0);
  plain.writeInt32BE(end - headerBytes, 4);
  plain.writeInt32BE(histogramShape.digits, 12);
  plain.writeBigInt64BE(histogramShape.lowest, 16);
  plain.writeBigInt64BE(histogramShape.highest, 24);
  plain.writeDoubleBE(1, 32);
  const packed = deflateSync(plain.subarray(0, end));
  const header = Buffer.alloc(8);
  header.writeInt32BE(compressedCookie, 0);
  header.writeInt32BE(packed.length, 4);
  return Buffer.concat([header, packed]).toString('base64');
}

/** ZigZag, then LEB128 whose ninth byte carries eight bits. @returns where it ends */
function writeWord(bytes: Buffer, at: number, word: number): number {
  let rest = word < 0 ? -word * 2 - 1 : word * 2;
  let end = at;
  for (; rest >= 128 && end - at < wordBytes - 1; rest = Math.floor(rest / 128))
    bytes[end++] = (rest % 128) | 128;
  bytes[end++] = rest;
  return end;
}
