// SPDX-License-Identifier: Apache-2.0
import * as hdr from 'hdr-histogram-js';
import { VmcallError } from '../support/errors.js';
import { type HdrV2, openHdrV2 } from '../support/hdr-v2.js';
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
  if (text.length > limits.histogramCharacters) throw bad(`${text.length} characters`);
  const { indexOffset, digits, lowest, highest } = open(text);
  if (indexOffset !== 0) throw bad('a normalizing index offset');
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

function open(text: string): HdrV2 {
  try {
    return openHdrV2(text, limits.histogramBytes);
  } catch (error) {
    throw bad(error instanceof Error ? error.message : 'it cannot be opened');
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

/** What `later` has more than `earlier`; both cumulative. Changes `later`. */
export function subtractHistogram(later: Histogram, earlier: Histogram): Histogram {
  later.subtract(earlier);
  return later;
}
