// SPDX-License-Identifier: Apache-2.0
import { hdrBins } from '../../support/hdr/counts.js';
import { openHdrV2 } from '../../support/hdr/read.js';
import { type Count, cannotImport } from './document.js';

/** More than any histogram of five digits and 63 bits needs, packed. */
const bounds = { bytes: 64 * 2 ** 20 };

/**
 * The values of an HDR histogram of any range, V2 compressed, base64, each by the highest that is distinguished from it;
 * lowest first. `where` is the place in the file, for the error. Error: `IMPORT_FAILED`.
 */
export function countsOfHdr(base64: string, source: string, where: string): Count[] {
  try {
    return [...hdrBins(openHdrV2(base64, bounds))].map(({ high, count }): Count => [high, count]);
  } catch (error) {
    throw cannotImport(
      source,
      `${where} has no whole histogram: ${error instanceof Error ? error.message : error}`,
      'Histograms are HDR V2, compressed, base64; take the file again from the tool that made it, or leave out what was cut',
    );
  }
}
