// SPDX-License-Identifier: Apache-2.0
import type { Files } from './powercap.js';

/** USER_HZ is 100 for every program on x86-64 (time(7)). */
const ticksPerSecond = 100;

export interface CpuTimes {
  /** Of all CPUs, s. */
  total: number;
  /** Of that neither idle nor waiting for a disk. */
  busy: number;
  /** Of the VM's process, all its threads. */
  vm: number | null;
}

/** Of /proc/stat and /proc/PID/stat (man proc(5)); a guest's time is in user's already. */
export function cpuTimes(files: Files, pid: number | null): CpuTimes | null {
  const line = /^cpu +(.*)$/m.exec(files.read('/proc/stat') ?? '')?.[1];
  if (line === undefined) return null;
  const ticks = line.split(/\s+/).slice(0, 8).map(Number);
  const total = ticks.reduce((sum, value) => sum + value, 0);
  const [, , , idle = 0, waiting = 0] = ticks;
  const stat = pid === null ? null : files.read(`/proc/${pid}/stat`);
  const own = stat?.slice(stat.lastIndexOf(')') + 2).split(' ');
  return {
    total: total / ticksPerSecond,
    busy: (total - idle - waiting) / ticksPerSecond,
    vm: own ? (Number(own[11]) + Number(own[12])) / ticksPerSecond : null,
  };
}
