// SPDX-License-Identifier: Apache-2.0
import type { JsHistogram } from 'hdr-histogram-js';
import { VmcallError } from '../support/errors.js';
import { buildHistogram, readHistogram } from '../support/hdr/histogram.js';
import { type HdrBounds, hdrWords, openHdrV2 } from '../support/hdr/read.js';
import { limits } from './limits.js';

/** The shape of every wake-latency histogram (guest-agent/library/measure/hdr.h): 1 ns to 60 s, three digits. */
export const histogramShape = { lowest: 1n, highest: 60_000_000_000n, digits: 3 } as const;

/** What the other side may send as one. */
export const histogramBounds: HdrBounds = {
  characters: limits.histogramCharacters,
  bytes: limits.histogramBytes,
  shape: histogramShape,
};

/** What `read` says; its error as HISTOGRAM_INVALID. */
function agreed<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw new VmcallError(
      'HISTOGRAM_INVALID',
      `not an HDR histogram of the shape agreed on: ${error instanceof Error ? error.message : 'it cannot be read'}`,
      'Use the same version of vmcall on both sides',
    );
  }
}

/**
 * The wake latencies out of base64 (HDR V2, compressed), which may come from anybody: inflated to at most
 * `limits.histogramBytes`, and of the agreed shape before anything is allocated by their header.
 * @throws VmcallError HISTOGRAM_INVALID
 */
export function decodeWakes(text: string): JsHistogram {
  return agreed(() => readHistogram(text, histogramBounds));
}

/** No wake latencies yet, in the agreed shape. */
export function noWakes(): JsHistogram {
  return buildHistogram(histogramShape, false);
}

/** Values that are distinguished below this are whole ns (HdrHistogram: subBucketCount of three digits). */
const subBuckets = 2048;
const half = subBuckets / 2;
/** Places for counts that 60 s need: 26 buckets, the first twice as long. */
const places = 27 * half;

/** Values that are not distinguished make a bin: the highest of them, and how often they were recorded; lowest first. */
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
  agreed(() => takeBins(hdrWords(openHdrV2(text, histogramBounds).counts)));
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
