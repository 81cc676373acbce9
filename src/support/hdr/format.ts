// SPDX-License-Identifier: Apache-2.0
/**
 * HDR V2, the one reader and the one writer of it. hdr-histogram-js has both, but reads whatever a histogram asks for
 * without a limit, and writes a normalizing index offset of 1 and an integer ratio, which other readers refuse.
 */

/** Cookies of the two V2 encodings, less the bits of the word size (HdrHistogram: AbstractHistogram.java). */
export const cookies = { compressed: 0x1c849304, plain: 0x1c849303 } as const;
/** The word size of counts as ZigZag LEB128. */
export const lebWords = 0x10;
export const compressedHeaderBytes = 8;
export const headerBytes = 40;
export const wordBytes = 9;

/** Values from `lowest` to `highest`, distinguished by so many significant digits. */
export interface HdrShape {
  readonly digits: number;
  readonly lowest: bigint;
  readonly highest: bigint;
}

/** Counts that are not zero, each at its place, lowest first. */
export interface HdrCounts {
  places: number[];
  counts: number[];
}
