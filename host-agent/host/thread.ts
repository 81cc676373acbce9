// SPDX-License-Identifier: Apache-2.0
import type { Host } from './host.js';
import { policies, type Scheduling } from './scheduling.js';

export interface Thread {
  id: number;
  name: string;
  scheduling: Scheduling;
  /** CPUs it may run on, as the kernel writes lists. */
  cpus: string;
}

/**
 * A thread out of its procfs folder (`/proc/PID` or `/proc/PID/task/TID`); null where it has ended.
 * Fields 40 and 41 of `stat` are priority and policy (man proc(5)).
 */
export function readThread(host: Host, folder: string): Thread | null {
  const stat = host.read(`${folder}/stat`);
  const name = host.read(`${folder}/comm`);
  const cpus = /^Cpus_allowed_list:\s*(\S+)$/m.exec(host.read(`${folder}/status`) ?? '')?.[1];
  if (stat === null || name === null || cpus === undefined) return null;
  const fields = stat
    .slice(stat.lastIndexOf(')') + 1)
    .trim()
    .split(' ');
  const field = (number: number) => Number(fields[number - 3] ?? Number.NaN);
  const policy = policies[field(41)];
  if (policy === undefined) return null;
  return { id: Number.parseInt(stat, 10), name, cpus, scheduling: { policy, priority: field(40) } };
}
