// SPDX-License-Identifier: Apache-2.0
import type { Sleep } from '../../src/protocol/wake-times.js';

/** Sleeps with the interrupt that ended each, on one clock. */
export interface Dated {
  /** From the interrupt to the end of the sleep, cycles. */
  cycles: bigint[];
  /** Sleeps in which no interrupt is known. */
  undated: number;
  /** Interrupts from the last sleep on: they may belong to a sleep that is not reported yet. */
  rest: bigint[];
}

/**
 * The first interrupt within each sleep, as the doorbell's time stamp is that of the first ring that the VM call did not
 * answer at once. One from before a sleep woke nobody.
 * @param sleeps in the order of time
 * @param interrupts in the order of time
 */
export function dateSleeps(sleeps: readonly Sleep[], interrupts: readonly bigint[]): Dated {
  const cycles: bigint[] = [];
  let undated = 0;
  let at = 0;
  for (const { before, after } of sleeps) {
    while ((interrupts[at] ?? after) < before) at++;
    const interrupt = interrupts[at];
    if (interrupt !== undefined && interrupt <= after) cycles.push(after - interrupt);
    else undated++;
    while ((interrupts[at] ?? after + 1n) <= after) at++;
  }
  return { cycles, undated, rest: interrupts.slice(at) };
}
