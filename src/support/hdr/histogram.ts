// SPDX-License-Identifier: Apache-2.0
import { Float64Histogram, type Histogram, JsHistogram } from 'hdr-histogram-js';
import type { HdrShape } from './format.js';
import { type HdrBounds, hdrWords, openHdrV2 } from './read.js';
import { writeHdrV2 } from './write.js';

/** Documents are kept: the smallest that zlib makes. */
const smallest = 9;

/** An empty histogram, with a count of 53 bits at each place. @param autoResize takes values above `highest` too */
export function buildHistogram({ digits, lowest, highest }: HdrShape, autoResize: boolean): JsHistogram {
  const histogram = new Float64Histogram(Number(lowest), Number(highest), digits);
  histogram.autoResize = autoResize;
  return histogram;
}

/** Of the library's two kinds, the one that shows its counts. */
function plain(histogram: Histogram): JsHistogram {
  if (histogram instanceof JsHistogram) return histogram;
  throw new TypeError('a histogram of WebAssembly, whose counts cannot be read one by one');
}

/**
 * The histogram out of base64 (HDR V2, compressed), which may come from anyone: its header and its counts are such as a
 * histogram can have before anything is allocated by them.
 * @throws Error that says what is wrong with it
 */
export function readHistogram(base64: string, bounds: HdrBounds): JsHistogram {
  const { digits, lowest, highest, counts } = openHdrV2(base64, bounds);
  if (digits < 0 || digits > 5) throw new Error(`${digits} significant digits; 0 to 5 are possible`);
  if (lowest < 1n || highest < 2n * lowest || highest > BigInt(Number.MAX_SAFE_INTEGER))
    throw new Error(`a range of ${lowest} to ${highest}`);
  const words = hdrWords(counts);
  const histogram = buildHistogram({ digits, lowest, highest }, false);
  let place = 0;
  let total = 0;
  for (const word of words) {
    if (word >= 0 && place < histogram.countsArrayLength) histogram.setCountAtIndex(place, word);
    place += word < 0 ? -word : 1;
    total += Math.max(0, word);
    if (place > histogram.countsArrayLength || total > Number.MAX_SAFE_INTEGER)
      throw new Error('its counts are out of range');
  }
  histogram.establishInternalTackingValues(place);
  return histogram;
}

/** Base64 of a histogram: HDR V2, compressed. @throws Error if a count is below zero */
export function encodeHistogram(histogram: Histogram): string {
  const {
    numberOfSignificantValueDigits: digits,
    lowestDiscernibleValue,
    highestTrackableValue,
  } = plain(histogram);
  const shape = { digits, lowest: BigInt(lowestDiscernibleValue), highest: BigInt(highestTrackableValue) };
  return writeHdrV2(shape, countsOf(plain(histogram)), smallest);
}

function countsOf(histogram: JsHistogram) {
  const places: number[] = [];
  const counts: number[] = [];
  for (let place = 0; place < histogram.countsArrayLength; place++) {
    const count = histogram.getCountAtIndex(place);
    if (count < 0) throw new Error(`a count of ${count}`);
    if (count === 0) continue;
    places.push(place);
    counts.push(count);
  }
  return { places, counts };
}
