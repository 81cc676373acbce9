// SPDX-License-Identifier: Apache-2.0
import { build, decodeFromCompressedBase64, type Histogram, JsHistogram } from 'hdr-histogram-js';
import type { Bin, Distribution } from '../statistics/distribution.js';
import { VmcallError } from '../support/errors.js';
import { type HdrV2, hdrWords, openHdrV2 } from '../support/hdr-v2.js';

export { encodeHistogram } from '../support/hdr-v2.js';

/** More than any histogram of five digits and 53 bits needs. */
const largestPlain = 64 * 2 ** 20;
/** More places for counts than five digits and 53 bits make. */
const mostPlaces = 5_000_000;

const broken = (why: string, cause?: unknown) =>
  new VmcallError(
    'HISTOGRAM_BROKEN',
    `a histogram cannot be read: ${why}`,
    'Histograms are HDR V2, compressed, base64; take the document from where it was made again',
    undefined,
    { cause },
  );

function open(base64: string): HdrV2 {
  try {
    return openHdrV2(base64, largestPlain);
  } catch (error) {
    throw broken(error instanceof Error ? error.message : 'it cannot be opened', error);
  }
}

/** The library allocates by the header and the counts: both must be such as a histogram can have. */
function check(base64: string): void {
  const { digits, lowest, highest, counts } = open(base64);
  if (digits < 0 || digits > 5) throw broken(`${digits} significant digits; 0 to 5 are possible`);
  if (lowest < 1n || highest < 2n * lowest || highest > BigInt(Number.MAX_SAFE_INTEGER))
    throw broken(`a range of ${lowest} to ${highest}`);
  let places = 0;
  let total = 0;
  try {
    for (const word of hdrWords(counts)) {
      places += word < 0 ? -word : 1;
      total += Math.max(0, word);
      if (places > mostPlaces || total > Number.MAX_SAFE_INTEGER)
        throw new Error('its counts are out of range');
    }
  } catch (error) {
    throw broken(error instanceof Error ? error.message : 'its counts cannot be read', error);
  }
}

/** An HDR histogram from its V2 base64 form, which may come from anyone: bounded in size, checked in its header. */
export function decodeHistogram(base64: string): JsHistogram {
  check(base64);
  let histogram: Histogram;
  try {
    histogram = decodeFromCompressedBase64(base64, 64);
  } catch (error) {
    throw broken(error instanceof Error ? error.message : 'it does not decode', error);
  }
  if (!(histogram instanceof JsHistogram)) throw broken('it is of an unknown kind');
  return histogram;
}

/** A histogram of ns with three significant digits, which grows as it must. */
export function emptyHistogram(): Histogram {
  return build({ bitBucketSize: 64, numberOfSignificantValueDigits: 3, autoResize: true });
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
