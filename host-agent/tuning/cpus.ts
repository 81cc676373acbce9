// SPDX-License-Identifier: Apache-2.0

import type { Host } from '../host/host.js';
import { readThread } from '../host/thread.js';
import { bootParameters } from './boot.js';
import { overlap, parseCpuMask, parseCpus, without } from './cpu-set.js';
import { partitions } from './cpusets.js';
import { tunedCpus, tunedVariable } from './tuned.js';

const folder = '/sys/devices/system/cpu';

export function onlineCpus(host: Host): number[] {
  return parseCpus(host.read(`${folder}/online`) ?? '');
}

/** A list that the kernel or a person wrote, of the CPUs that may ever be; what is no list is none. */
export function namedCpus(host: Host, list: string | null | undefined): number[] {
  const last = parseCpus(host.read(`${folder}/possible`) ?? host.read(`${folder}/online`) ?? '').at(-1);
  try {
    return parseCpus(list ?? '', last);
  } catch {
    return [];
  }
}

/** CPUs without a tick while one task runs; the file says `(null)` where there are none. */
export const ticklessCpus = (host: Host): number[] => namedCpus(host, host.read(`${folder}/nohz_full`));

const flags = ['nohz', 'domain', 'managed_irq'];

/** Value of isolcpus=, without and with its flags (linux: kernel/sched/isolation.c, housekeeping_isolcpus_setup). */
export function isolcpus(host: Host): { flags: string[]; cpus: number[] } | null {
  const value = bootParameters(host).get('isolcpus');
  if (value === undefined) return null;
  const parts = value.split(',');
  const given = parts.filter((part) => flags.includes(part));
  const list = parts.filter((part) => !flags.includes(part)).join(',');
  return { flags: given.length > 0 ? given : ['domain'], cpus: namedCpus(host, list) };
}

/** CPUs that the scheduler moves nothing to: by isolcpus=domain, or as an isolated partition of cpusets. */
export function isolatedCpus(host: Host): number[] {
  const isolated = partitions(host).filter(({ kind }) => kind === 'isolated');
  return union(namedCpus(host, host.read(`${folder}/isolated`)), ...isolated.map(({ cpus }) => cpus));
}

/** CPUs of the same core, itself included (linux: Documentation/admin-guide/cputopology.rst). */
export const siblingsOf = (host: Host, cpu: number): number[] =>
  overlap(namedCpus(host, host.read(`${folder}/cpu${cpu}/topology/thread_siblings_list`)), onlineCpus(host));

/** CPUs kept apart from ordinary work, and by whom. */
export interface SetAside {
  by: string;
  cpus: number[];
}

/** Each way in which hosts keep CPUs apart, those that leave the scheduler its hand included. */
export function setAside(host: Host): SetAside[] {
  const online = onlineCpus(host);
  const boot = bootParameters(host);
  const others = (kept: number[]) => (kept.length > 0 ? without(online, kept) : []);
  const init = readThread(host, '/proc/1');
  const isolatedCores = tunedVariable(host, 'isolated_cores') ?? '';
  const named: SetAside[] = [
    { by: 'isolcpus=', cpus: namedCpus(host, host.read(`${folder}/isolated`)) },
    { by: 'isolcpus= at boot', cpus: isolcpus(host)?.cpus ?? [] },
    { by: 'nohz_full=', cpus: ticklessCpus(host) },
    { by: 'systemd.cpu_affinity=', cpus: others(namedCpus(host, boot.get('systemd.cpu_affinity'))) },
    { by: "systemd's CPUAffinity=", cpus: others(namedCpus(host, systemdAffinity(host))) },
    { by: "systemd's own CPUs", cpus: others(namedCpus(host, init?.cpus)) },
    { by: "system.slice's AllowedCPUs=", cpus: others(namedCpus(host, host.read(systemSlice))) },
    { by: 'tuned.non_isolcpus=', cpus: others(maskedCpus(boot.get('tuned.non_isolcpus'))) },
    { by: "tuned's isolated_cores", cpus: tunedCpus(host, isolatedCores, online) },
    ...partitions(host).map(({ path, cpus }) => ({ by: `the cpuset partition ${path}`, cpus })),
  ];
  return named
    .map(({ by, cpus }) => ({ by, cpus: overlap(cpus, online) }))
    .filter(({ cpus }) => cpus.length > 0);
}

const systemSlice = '/sys/fs/cgroup/system.slice/cpuset.cpus';

/** The first that has a file of a name has it for all of them (man systemd-system.conf(5)). */
const systemdFolders = ['/etc/systemd', '/run/systemd', '/usr/local/lib/systemd', '/usr/lib/systemd'];

/** Its own file, then drop-ins by their names wherever they are; an empty value clears what came before. */
function systemdAffinity(host: Host): string | null {
  const main = systemdFolders.map((at) => `${at}/system.conf`).find((file) => host.exists(file));
  const dropIns = new Map<string, string>();
  for (const at of systemdFolders)
    for (const name of host.names(`${at}/system.conf.d`))
      if (name.endsWith('.conf') && !dropIns.has(name)) dropIns.set(name, `${at}/system.conf.d/${name}`);
  const byName = [...dropIns].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, file]) => file);
  const files = [...(main === undefined ? [] : [main]), ...byName];
  const values = files.flatMap((file) =>
    [...(host.read(file) ?? '').matchAll(/^[^\S\n]*CPUAffinity[^\S\n]*=[^\S\n]*(.*?)[^\S\n]*$/gm)].map(
      ([, value]) => value ?? '',
    ),
  );
  const from = values.lastIndexOf('') + 1;
  const list = values.slice(from).join(' ');
  return list === '' ? null : list;
}

function maskedCpus(mask: string | undefined): number[] {
  try {
    return mask === undefined ? [] : parseCpuMask(mask);
  } catch {
    return [];
  }
}

export const union = (...lists: readonly (readonly number[])[]): number[] =>
  [...new Set(lists.flat())].sort((a, b) => a - b);
