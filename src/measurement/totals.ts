// SPDX-License-Identifier: Apache-2.0
import type { Report } from '../protocol/messages.js';

/** What a guest says of all its wakes since the measurement began, ns. */
export type Total = Report['wake_latency']['total'];

/**
 * A guest may say anything of itself, and no document is to hold what cannot be.
 * @param count of wakes that its reports hold
 * @returns why no wakes can have these totals; undefined if some can
 */
export function impossible({ count, min, max, sum }: Total, counted: number): string | undefined {
  if (count !== counted) return `are of ${count} wakes, the reports of ${counted}`;
  if (count === 0) return undefined;
  if (min === null) return `are of ${count} wakes and have no minimum`;
  if (min > max) return `have a minimum of ${min} and a maximum of ${max} ns`;
  if (sum < min * count || sum > max * count)
    return `have a sum of ${sum} ns, which ${count} wakes of ${min} to ${max} ns cannot have`;
  return undefined;
}

/** @returns how later totals contradict earlier ones of the same measurement; undefined if they do not */
export function wentBack(before: Total | undefined, now: Total): string | undefined {
  if (!before || before.count === 0) return undefined;
  const rose = now.min === null || now.min > (before.min ?? 0);
  if (!rose && now.count >= before.count && now.max >= before.max && now.sum >= before.sum) return undefined;
  return `go back: ${JSON.stringify(before)}, then ${JSON.stringify(now)}`;
}
