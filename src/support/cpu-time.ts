// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';

/** USER_HZ is 100 for every program on x86-64 (time(7)). */
const ticksPerSecond = 100;

/**
 * CPU time of a process, all its threads, no children: s, to 10 ms (proc(5): utime and stime).
 * @throws Error ENOENT if there is none of that number
 */
export function cpuTimeOf(pid: number): number {
  // A program's name may hold blanks and brackets.
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /s, '')
    .split(' ');
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
}
