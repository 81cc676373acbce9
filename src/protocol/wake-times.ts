// SPDX-License-Identifier: Apache-2.0

/** A sleep in interrupts that a packet ended, on the guest's TSC. */
export interface Sleep {
  before: bigint;
  after: bigint;
}

/** Bytes of a 64-bit number in LEB128. */
const numberMost = 10;

/**
 * The sleeps in one part of a report's `wake_times` (PROTOCOL.md), in the order of time.
 * @throws Error it is none
 */
export function readWakeTimes(part: string): Sleep[] {
  const bytes = Buffer.from(part, 'base64');
  const sleeps: Sleep[] = [];
  let at = 0;
  const number = (): bigint => {
    let value = 0n;
    for (let shift = 0; shift < 7 * numberMost; shift += 7) {
      const byte = bytes[at++];
      if (byte === undefined) break;
      value |= BigInt(byte & 0x7f) << BigInt(shift);
      if (byte < 0x80) return value;
    }
    throw new Error(`no times of wakes: a number that does not end, before byte ${at}`);
  };
  for (let last = 0n; at < bytes.length; ) {
    last += number();
    sleeps.push({ before: last - number(), after: last });
  }
  return sleeps;
}
