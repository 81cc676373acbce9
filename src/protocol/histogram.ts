// SPDX-License-Identifier: Apache-2.0
import * as hdr from 'hdr-histogram-js';
import { VmcallError } from '../support/errors.js';
import { eachHdrWord, type HdrV2, openHdrV2 } from '../support/hdr-v2.js';
import { limits } from './limits.js';

export { encodeHistogram } from '../support/hdr-v2.js';

export type Histogram = ReturnType<typeof hdr.build>;

/** The shape of every latency histogram here (guest-agent/dataplane/hdr.h): 1 ns to 60 s, three digits. */
export const histogramShape = { lowest: 1n, highest: 60_000_000_000n, digits: 3 } as const;

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
  open(text);
  let histogram: Histogram;
  try {
    histogram = hdr.decodeFromCompressedBase64(text);
  } catch (error) {
    throw bad(error instanceof Error ? error.message : 'its counts cannot be read');
  }
  if (!Number.isSafeInteger(histogram.totalCount) || histogram.totalCount < 0) throw bad('negative counts');
  return histogram;
}

/** Of the agreed shape, or it throws. */
function open(text: string): HdrV2 {
  if (text.length > limits.histogramCharacters) throw bad(`${text.length} characters`);
  let opened: HdrV2;
  try {
    opened = openHdrV2(text, limits.histogramBytes);
  } catch (error) {
    throw bad(error instanceof Error ? error.message : 'it cannot be opened');
  }
  const { indexOffset, digits, lowest, highest } = opened;
  if (indexOffset !== 0) throw bad('a normalizing index offset');
  if (
    digits !== histogramShape.digits ||
    lowest !== histogramShape.lowest ||
    highest !== histogramShape.highest
  )
    throw bad(`${lowest} to ${highest} with ${digits} digits`);
  return opened;
}

/** Values that are told apart below this are whole ns (HdrHistogram: subBucketCount of three digits). */
const subBuckets = 2048;
const half = subBuckets / 2;
/** Places for counts that 60 s need: 26 buckets, the first twice as long. */
const places = 27 * half;

/** How often values were recorded that are not told apart; the highest of them, ns. */
export interface HistogramBin {
  value: number;
  count: number;
}

/**
 * Visits the bins of a histogram out of base64 that hold anything, lowest first: no place is made for the others, and
 * no object for these, as a busy second has 1,500 and the host agent reads one of each guest.
 * @throws VmcallError HISTOGRAM_INVALID; some bins may have been visited by then
 */
export function eachHistogramBin(text: string, visit: (value: number, count: number) => void): void {
  const { counts } = open(text);
  let place = 0;
  let total = 0;
  try {
    eachHdrWord(counts, (word) => {
      const at = place;
      place += word < 0 ? -word : 1;
      total += Math.max(0, word);
      if (place > places || total > Number.MAX_SAFE_INTEGER) throw new Error('its counts are out of range');
      if (word > 0) visit(highest[at] ?? 0, word);
    });
  } catch (error) {
    throw bad(error instanceof Error ? error.message : 'its counts cannot be read');
  }
}

/** All that eachHistogramBin() visits. @throws as it does */
export function histogramBins(text: string): HistogramBin[] {
  const bins: HistogramBin[] = [];
  eachHistogramBin(text, (value, count) => bins.push({ value, count }));
  return bins;
}

/** The highest value that is counted at a place. */
function highestAt(place: number): number {
  if (place < subBuckets) return place;
  const bucket = Math.floor(place / half) - 1;
  const width = 2 ** bucket;
  return ((place % half) + half) * width + width - 1;
}

/** highestAt() of each place. */
const highest = Float64Array.from({ length: places }, (_, place) => highestAt(place));

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

/** What `later` has more than `earlier`; both cumulative. Changes `later`. */
export function subtractHistogram(later: Histogram, earlier: Histogram): Histogram {
  later.subtract(earlier);
  return later;
}
