// SPDX-License-Identifier: Apache-2.0
import type { Report } from '../protocol/messages.js';

/** What a guest says of all its wakes since the measurement began, ns. */
export type Total = Report['wake_latency']['total'];

/**
 * A guest may say anything of itself, and no document is to hold what cannot be. The dataplane counts on while its
 * figures are read one after the other, so count and sum may be apart by the wakes of that moment.
 * @returns why no wakes can have these totals; undefined if some can
 */
export function impossible({ count, min, max, sum }: Total): string | undefined {
  if (count === 0) return undefined;
  if (min === null) return `are of ${count} wakes and have no minimum`;
  if (min > max) return `have a minimum of ${min} and a maximum of ${max} ns`;
  if (sum < min * (count - apart) || sum > max * (count + apart))
    return `have a sum of ${sum} ns, which ${count} wakes of ${min} to ${max} ns cannot have`;
  return undefined;
}

/** Wakes that may come between the reading of two figures. */
const apart = 10;

/** @returns how later totals contradict earlier ones of the same measurement; undefined if they do not */
export function wentBack(before: Total | undefined, now: Total): string | undefined {
  if (!before || before.count === 0) return undefined;
  const rose = now.min === null || now.min > (before.min ?? 0);
  if (!rose && now.count >= before.count && now.max >= before.max && now.sum >= before.sum) return undefined;
  return `go back: ${JSON.stringify(before)}, then ${JSON.stringify(now)}`;
}
