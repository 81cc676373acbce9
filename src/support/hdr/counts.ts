// SPDX-License-Identifier: Apache-2.0
import type { HdrCounts } from './format.js';
import { type HdrV2, hdrWords } from './read.js';

/** The counts of a histogram that are not zero; no place is made for the others. @throws Error if it ends inside one */
export function readHdrCounts(encoded: Buffer): HdrCounts {
  const places: number[] = [];
  const counts: number[] = [];
  let place = 0;
  for (const word of hdrWords(encoded)) {
    if (word > 0) {
      places.push(place);
      counts.push(word);
    }
    place += word < 0 ? -word : 1;
  }
  return { places, counts };
}

/** Values that a histogram does not distinguish, lowest to highest, and how often one of them was recorded. */
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
