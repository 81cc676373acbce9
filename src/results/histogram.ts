// SPDX-License-Identifier: Apache-2.0
import type { JsHistogram } from 'hdr-histogram-js';
import type { Bin, Distribution } from '../statistics/distribution.js';
import { VmcallError } from '../support/errors.js';
import { buildHistogram, readHistogram } from '../support/hdr/histogram.js';

/** More than any histogram of five digits and 53 bits needs. */
const bounds = { bytes: 64 * 2 ** 20 };

/** What the library begins with; it grows. */
const shape = { lowest: 1n, highest: 2n, digits: 3 };

/**
 * An HDR histogram from its V2 base64 form, which may come from anyone: bounded in size, checked in its header.
 * @throws VmcallError HISTOGRAM_BROKEN
 */
export function decodeHistogram(base64: string): JsHistogram {
  try {
    return readHistogram(base64, bounds);
  } catch (error) {
    throw new VmcallError(
      'HISTOGRAM_BROKEN',
      `a histogram cannot be read: ${error instanceof Error ? error.message : 'it does not decode'}`,
      'Histograms are HDR V2, compressed, base64; take the document from where it was made again',
      undefined,
      { cause: error },
    );
  }
}

/** A histogram of ns with three significant digits, which grows as it must. */
export function emptyHistogram(): JsHistogram {
  return buildHistogram(shape, true);
}

/** The bins of a histogram, held within the exact `min` and `max` kept beside it. */
export function binsOf(histogram: JsHistogram, { min, max }: { min: number; max: number }): Distribution {
  const bins: Bin[] = [];
  let total = 0;
  for (let index = 0; index < histogram.countsArrayLength; index++) {
    const count = histogram.getCountAtIndex(index);
    if (count <= 0) continue;
    const low = histogram.lowestEquivalentValue(histogram.valueFromIndex(index));
    const high = histogram.highestEquivalentValue(low);
    const value = Math.min(max, Math.max(min, high));
    const last = bins.at(-1);
    if (last?.value === value) last.count += count;
    else bins.push({ value, count, width: high - low + 1 });
    total += count;
  }
  return { bins, total };
}

/** A distribution from what a result keeps of it: its base64 histogram and its exact minimum and maximum. */
export function distributionOf(base64: string, exact: { min: number; max: number }): Distribution {
  return binsOf(decodeHistogram(base64), exact);
}
