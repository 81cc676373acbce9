// SPDX-License-Identifier: Apache-2.0
import * as hdr from 'hdr-histogram-js';
import { VmcallError } from '../support/errors.js';
import { type HdrV2, hdrWords, openHdrV2 } from '../support/hdr-v2.js';
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

/** Values that are not told apart make a bin: the highest of them, and how often they were recorded; lowest first. */
export interface HistogramBins {
  length: number;
  /** ns */
  readonly values: Float64Array;
  readonly counts: Float64Array;
}

/** Of the last histogram that was read: no object is made for each of a busy second's 1,500 bins. */
const lastBins: HistogramBins = {
  length: 0,
  values: new Float64Array(places),
  counts: new Float64Array(places),
};

/**
 * The bins of a histogram out of base64 that hold anything; no place is made for the others. They stand where the next
 * call puts its own.
 * @throws VmcallError HISTOGRAM_INVALID
 */
export function readHistogramBins(text: string): HistogramBins {
  const { counts } = open(text);
  try {
    takeBins(hdrWords(counts));
  } catch (error) {
    throw bad(error instanceof Error ? error.message : 'its counts cannot be read');
  }
  return lastBins;
}

/** A loop without a call, which V8 compiles well: the host agent does this with each guest's each report. */
function takeBins(words: Float64Array): void {
  const { values, counts } = lastBins;
  let place = 0;
  let total = 0;
  let length = 0;
  for (let at = 0; at < words.length; at++) {
    const word = words[at] as number;
    if (word < 0) {
      place -= word;
      continue;
    }
    if (place >= places) throw outOfRange();
    if (word > 0) {
      values[length] = highest[place] as number;
      counts[length++] = word;
      total += word;
    }
    place++;
  }
  if (place > places || total > Number.MAX_SAFE_INTEGER) throw outOfRange();
  lastBins.length = length;
}

const outOfRange = () => new Error('its counts are out of range');

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
