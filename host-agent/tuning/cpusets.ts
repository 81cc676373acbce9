// SPDX-License-Identifier: Apache-2.0

import type { Host } from '../host/host.js';
import { parseCpus } from './cpu-set.js';

const v2 = '/sys/fs/cgroup';
const v1 = '/sys/fs/cgroup/cpuset';

/** A cpuset whose CPUs nobody outside it has (linux: Documentation/admin-guide/cgroup-v2.rst, cpuset.cpus.partition). */
export interface Partition {
  path: string;
  /** `isolated`: without load balancing, too. */
  kind: 'root' | 'isolated';
  cpus: number[];
}

/** How deep partitions are looked for, and in how many folders; deeper ones stand in the root's own list. */
const depthMost = 4;
const foldersMost = 4096;

const list = (host: Host, file: string): number[] => {
  try {
    return parseCpus(host.read(file) ?? '');
  } catch {
    return [];
  }
};

/** The valid partitions below the root; `isolated invalid (...)` is none. */
export function partitions(host: Host): Partition[] {
  const found: Partition[] = [];
  let left = foldersMost;
  const walk = (path: string, depth: number): void => {
    for (const name of host.names(`${v2}${path}`)) {
      const child = `${path}/${name}`;
      // Only a cgroup has it, and only where cpusets reach.
      const state = stateOf(host, child);
      if (state === null) continue;
      if (--left < 0) return;
      if (state === 'root' || state === 'isolated')
        found.push({ path: child, kind: state, cpus: cpusOf(host, child) });
      if (depth < depthMost) walk(child, depth + 1);
    }
  };
  walk('', 1);
  const seen = found.flatMap(({ cpus }) => cpus);
  const rest = list(host, `${v2}/cpuset.cpus.isolated`).filter((cpu) => !seen.includes(cpu));
  if (rest.length > 0) found.push({ path: '/ (cpuset.cpus.isolated)', kind: 'isolated', cpus: rest });
  return found;
}

const stateOf = (host: Host, path: string) => host.read(`${v2}${path}/cpuset.cpus.partition`);

function cpusOf(host: Host, path: string): number[] {
  const files = ['cpuset.cpus.exclusive.effective', 'cpuset.cpus.effective', 'cpuset.cpus'];
  return files.map((file) => list(host, `${v2}${path}/${file}`)).find((cpus) => cpus.length > 0) ?? [];
}

/**
 * The CPUs to which its cpuset lets a process be pinned; null where none bounds it. sched_setaffinity(2) refuses a mask
 * without any of them, and cuts off what lies outside.
 */
export function allowedCpus(host: Host, pid: number): number[] | null {
  const lines = (host.read(`/proc/${pid}/cgroup`) ?? '')
    .split('\n')
    .map((line) => /^(\d+):([^:]*):(.*)$/.exec(line));
  const old = lines.find((line) => line?.[2]?.split(',').includes('cpuset'))?.[3];
  const unified = lines.find((line) => line?.[1] === '0' && line[2] === '')?.[3];
  const bounds = [
    ...(old === undefined ? [] : [nearest(host, v1, old, ['cpuset.effective_cpus', 'cpuset.cpus'])]),
    ...(unified === undefined ? [] : [nearest(host, v2, unified, ['cpuset.cpus.effective'])]),
  ];
  return bounds.find((cpus) => cpus !== null) ?? null;
}

/** Of the folder or the first above it that has such a file. */
function nearest(host: Host, root: string, path: string, files: readonly string[]): number[] | null {
  for (let at = path.replace(/\/+$/, ''); ; at = at.slice(0, at.lastIndexOf('/'))) {
    for (const file of files) {
      const cpus = list(host, `${root}${at}/${file}`);
      if (cpus.length > 0) return cpus;
    }
    if (at === '') return null;
  }
}
