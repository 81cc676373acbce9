// SPDX-License-Identifier: Apache-2.0
import type { GeneratorResult } from '../../../results/generator-result.js';

/** Sum of one part over the sum of the whole, 0 to 1; clocks are read one after the other, so it may come out above. */
function shareOf(parts: readonly { part: number; whole: number }[]): number {
  const sum = (key: 'part' | 'whole') => parts.reduce((total, entry) => total + entry[key], 0);
  return sum('whole') > 0 ? Math.min(1, sum('part') / sum('whole')) : 0;
}

/** What the co-located process had of the CPU. */
export const busyShare = (bursts: readonly GeneratorResult[]) =>
  shareOf(bursts.flatMap(({ busy }) => (busy ? [{ part: busy.cpu_ns, whole: busy.wall_ns }] : [])));
/** How long the watched CPU was idle. */
export const idleShare = (bursts: readonly GeneratorResult[]) =>
  shareOf(
    bursts.flatMap(({ watched }) => (watched ? [{ part: watched.idle_ns, whole: watched.wall_ns }] : [])),
  );

/** Rounds of the busy process's loop per s. */
export function workRate(bursts: readonly GeneratorResult[]): number {
  const busy = bursts.flatMap((burst) => (burst.busy ? [burst.busy] : []));
  const wall = busy.reduce((sum, { wall_ns }) => sum + wall_ns, 0);
  return wall > 0 ? (busy.reduce((sum, { work }) => sum + work, 0) / wall) * 1e9 : 0;
}
