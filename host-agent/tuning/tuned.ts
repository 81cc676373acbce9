// SPDX-License-Identifier: Apache-2.0
import type { Host } from '../host/host.js';
import { parseCpus, without } from './cpu-set.js';

/** What tuned's own profiles include, for hosts on which their files are not where they are looked for (tuned 2.24). */
const shipped: Readonly<Record<string, readonly string[]>> = {
  'realtime-virtual-host': ['realtime'],
  'realtime-virtual-guest': ['realtime'],
  realtime: ['network-latency'],
  'cpu-partitioning': ['network-latency'],
  'cpu-partitioning-powersave': ['cpu-partitioning'],
  'network-latency': ['latency-performance'],
  'virtual-host': ['throughput-performance'],
};

const folders = ['/etc/tuned/profiles', '/etc/tuned', '/usr/lib/tuned/profiles', '/usr/lib/tuned'];

/** Of a broken include that names itself. */
const profilesMost = 64;

/** The active profiles and all that they include, each once (man tuned.conf(5), include=). */
export function tunedProfiles(host: Host): string[] {
  const found = new Set<string>();
  const next = (host.read('/etc/tuned/active_profile') ?? '').split(/\s+/).filter(Boolean);
  for (let name = next.shift(); name !== undefined && found.size < profilesMost; name = next.shift()) {
    if (found.has(name) || !/^[\w.-]+$/.test(name)) continue;
    found.add(name);
    next.push(...included(host, name));
  }
  return [...found];
}

function included(host: Host, name: string): readonly string[] {
  const text = folders
    .map((folder) => host.read(`${folder}/${name}/tuned.conf`))
    .find((read) => read !== null);
  if (text === undefined || text === null) return shipped[name] ?? [];
  const main = /^\s*\[main\]([^[]*)/m.exec(text)?.[1] ?? '';
  const value = /^[^\S\n]*include[^\S\n]*=[^\S\n]*(.+?)[^\S\n]*$/m.exec(main)?.[1] ?? '';
  // A leading "-": no error where there is none.
  return value
    .split(/[,;\s]+/)
    .map((word) => word.replace(/^-/, ''))
    .filter(Boolean);
}

/** A variable of the profiles that are active, as `/etc/tuned/PROFILE-variables.conf` sets it; null where none does. */
export function tunedVariable(host: Host, name: string): string | null {
  for (const profile of tunedProfiles(host)) {
    const text = host.read(`/etc/tuned/${profile}-variables.conf`) ?? '';
    const value = new RegExp(`^[^\\S\\n]*${name}[^\\S\\n]*=[^\\S\\n]*(.*?)[^\\S\\n]*$`, 'm').exec(text)?.[1];
    if (value !== undefined) return value;
  }
  return null;
}

/**
 * A list of CPUs in tuned's own words (tuned: tuned/utils/commands.py, cpulist_unpack; functions/function_calc_isolated_cores.py):
 * `^2` takes CPU 2 out again, and `${f:calc_isolated_cores:N}` are all but the first N of each socket.
 */
export function tunedCpus(host: Host, text: string, online: readonly number[]): number[] {
  const reserved = /^\$\{f:calc_isolated_cores(?::(\d{1,4}))?\}$/.exec(text.trim());
  if (reserved) return calculated(host, Number(reserved[1] ?? 1), online);
  const words = text.split(/[\s,]+/).filter(Boolean);
  const list = (those: readonly string[]) => {
    try {
      return parseCpus(those.join(','), online.at(-1));
    } catch {
      return [];
    }
  };
  const taken = words.filter((word) => word.startsWith('^')).map((word) => word.slice(1));
  return without(list(words.filter((word) => !word.startsWith('^'))), list(taken));
}

function calculated(host: Host, reserved: number, online: readonly number[]): number[] {
  const sockets = new Map<string, number[]>();
  for (const cpu of online) {
    const socket = host.read(`/sys/devices/system/cpu/cpu${cpu}/topology/physical_package_id`) ?? '0';
    sockets.set(socket, [...(sockets.get(socket) ?? []), cpu]);
  }
  return [...sockets.values()].flatMap((cpus) => cpus.slice(reserved));
}
