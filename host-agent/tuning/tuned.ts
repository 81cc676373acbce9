// SPDX-License-Identifier: Apache-2.0
import type { Host } from '../host/host.js';

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
  const value = /^\s*include\s*=\s*(.+?)\s*$/m.exec(main)?.[1] ?? '';
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
    const value = new RegExp(`^\\s*${name}\\s*=\\s*(.*?)\\s*$`, 'm').exec(text)?.[1];
    if (value !== undefined) return value;
  }
  return null;
}
