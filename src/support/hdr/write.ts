// SPDX-License-Identifier: Apache-2.0
import { deflateSync } from 'node:zlib';
import {
  compressedHeaderBytes,
  cookies,
  type HdrCounts,
  type HdrShape,
  headerBytes,
  lebWords,
  wordBytes,
} from './format.js';

/** HDR V2, compressed, in base64, of counts above zero. @param level of the compression, 0 to 9 */
export function writeHdrV2(
  { digits, lowest, highest }: HdrShape,
  { places, counts }: HdrCounts,
  level?: number,
): string {
  const plain = Buffer.alloc(headerBytes + places.length * 2 * wordBytes);
  let end = headerBytes;
  let next = 0;
  for (const [index, place] of places.entries()) {
    const empty = place - next;
    // As the format's first writer has it: one empty place is a count of 0, several are a run.
    if (empty > 0) end = writeWord(plain, end, empty === 1 ? 0 : -empty);
    end = writeWord(plain, end, counts[index] ?? 0);
    next = place + 1;
  }
  plain.writeInt32BE(cookies.plain | lebWords, 0);
  plain.writeInt32BE(end - headerBytes, 4);
  plain.writeInt32BE(digits, 12);
  plain.writeBigInt64BE(lowest, 16);
  plain.writeBigInt64BE(highest, 24);
  plain.writeDoubleBE(1, 32);
  const packed = deflateSync(plain.subarray(0, end), level === undefined ? {} : { level });
  const header = Buffer.alloc(compressedHeaderBytes);
  header.writeInt32BE(cookies.compressed | lebWords, 0);
  header.writeInt32BE(packed.length, 4);
  return Buffer.concat([header, packed]).toString('base64');
}

/** ZigZag, then LEB128 whose ninth byte carries eight bits. @returns where it ends */
function writeWord(bytes: Buffer, at: number, word: number): number {
  let rest = word < 0 ? -word * 2 - 1 : word * 2;
  let end = at;
  for (; rest >= 128 && end - at < wordBytes - 1; rest = Math.floor(rest / 128))
    bytes[end++] = (rest % 128) | 128;
  bytes[end++] = rest;
  return end;
}
