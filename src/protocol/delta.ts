// SPDX-License-Identifier: Apache-2.0
import { readHdrCounts } from '../support/hdr/counts.js';
import type { HdrCounts } from '../support/hdr/format.js';
import { openHdrV2 } from '../support/hdr/read.js';
import { writeHdrV2 } from '../support/hdr/write.js';
import { histogramBounds, histogramShape } from './histogram.js';

/**
 * What cumulative histograms of the agreed shape have more, one after the other. Only places that hold anything are
 * looked at: the 27,000 of a whole histogram, several times a second, are most of what the guest agent would cost.
 */
export class HistogramDeltas {
  #last: HdrCounts = { places: [], counts: [] };

  /**
   * @param text HDR V2, compressed, base64
   * @returns the same of what was recorded since the one before
   * @throws Error if it is none, or a count went back
   */
  take(text: string): { count: number; histogram: string } {
    const now = readHdrCounts(openHdrV2(text, histogramBounds).counts);
    const delta = subtract(now, this.#last);
    this.#last = now;
    const count = delta.counts.reduce((sum, each) => sum + each, 0);
    return { count, histogram: writeHdrV2(histogramShape, delta) };
  }
}

function subtract(now: HdrCounts, before: HdrCounts): HdrCounts {
  const delta: HdrCounts = { places: [], counts: [] };
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
