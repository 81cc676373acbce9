// SPDX-License-Identifier: Apache-2.0
import type { Host } from '../host/host.js';
import { parseCpus, without } from './cpu-set.js';

interface Profile {
  include: readonly string[];
  /** `section option` to value. */
  sets: ReadonlyMap<string, string>;
}

const profile = (include: readonly string[], sets: Record<string, string> = {}): Profile => ({
  include,
  sets: new Map(Object.entries(sets)),
});
const governor = (value: string) => ({ 'cpu governor': value });

/** tuned's own profiles, for hosts on which their files are not where they are looked for (tuned 2.24). */
const shipped: Readonly<Record<string, Profile>> = {
  'realtime-virtual-host': profile(['realtime']),
  'realtime-virtual-guest': profile(['realtime']),
  realtime: profile(['network-latency'], { 'sysctl kernel.sched_rt_runtime_us': '-1' }),
  'cpu-partitioning': profile(['network-latency']),
  'cpu-partitioning-powersave': profile(['cpu-partitioning']),
  'cpu-partitioning-virt-host': profile(['cpu-partitioning']),
  'network-latency': profile(['latency-performance']),
  'latency-performance': profile([], governor('performance')),
  'virtual-host': profile(['throughput-performance']),
  'virtual-guest': profile(['throughput-performance']),
  'network-throughput': profile(['throughput-performance']),
  'throughput-performance': profile([], governor('performance')),
  balanced: profile([], governor('conservative|powersave')),
  desktop: profile(['balanced']),
  powersave: profile([], governor('ondemand|powersave')),
};

const folders = ['/etc/tuned/profiles', '/etc/tuned', '/usr/lib/tuned/profiles', '/usr/lib/tuned'];

/** Of a broken include that names itself. */
const profilesMost = 64;

/**
 * The active profiles and all that they include, each once, the one that has the last word first: tuned loads what a
 * profile includes before it, in turn, and a later one's setting goes before an earlier one's (tuned:
 * tuned/profiles/loader.py and merger.py; man tuned.conf(5), include=).
 */
export function tunedProfiles(host: Host): string[] {
  const seen = new Set<string>();
  const loaded: string[] = [];
  const load = (names: readonly string[]) => {
    for (const name of names) {
      if (seen.has(name) || seen.size >= profilesMost || !/^[\w.-]+$/.test(name)) continue;
      seen.add(name);
      load(included(host, name));
      loaded.push(name);
    }
  };
  load(
    ['active_profile', 'post_loaded_profile'].flatMap((file) =>
      (host.read(`/etc/tuned/${file}`) ?? '').split(/\s+/).filter(Boolean),
    ),
  );
  return loaded.reverse();
}

const included = (host: Host, name: string) => read(host, name)?.include ?? [];

/** null where nothing is known of it. */
function read(host: Host, name: string): Profile | null {
  const text = folders
    .map((folder) => host.read(`${folder}/${name}/tuned.conf`))
    .find((found) => found !== null);
  return text == null ? (shipped[name] ?? null) : parse(text);
}

function parse(text: string): Profile {
  const sets = new Map<string, string>();
  let section = '';
  for (const line of text.split('\n')) {
    const [, opened] = /^\s*\[([^\]]+)\]/.exec(line) ?? [];
    const [, option, value] = /^\s*([^#;=\s][^=]*?)\s*=\s*(.*?)\s*$/.exec(line) ?? [];
    if (opened !== undefined) section = opened;
    else if (option !== undefined && value !== undefined) sets.set(`${section} ${option}`, value);
  }
  // A unit is called as its author likes, and says by its type which plugin it is.
  for (const [place, value] of [...sets]) {
    const type = sets.get(`${place.slice(0, place.indexOf(' '))} type`);
    if (type !== undefined) sets.set(`${type} ${place.slice(place.indexOf(' ') + 1)}`, value);
  }
  // A leading "-": no error where there is none.
  const include = (sets.get('main include') ?? '')
    .split(/[,;\s]+/)
    .map((word) => word.replace(/^-/, ''))
    .filter(Boolean);
  return { include, sets };
}

const haltPoll = '/sys/module/kvm/parameters/halt_poll_ns';

/** What is wanted of a setting that profiles have too; limits of latency go beside ours, for the least one counts. */
const wanted: Readonly<Record<string, (value: string) => boolean>> = {
  'cpu governor': (value) => value.split('|')[0] === 'performance',
  'sysctl kernel.sched_rt_runtime_us': (value) => value === '-1',
  'sysctl kernel.nmi_watchdog': (value) => value === '0',
  [`sysfs ${haltPoll}`]: (value) => value === '0',
  'sysfs /sys/kernel/mm/ksm/run': (value) => value !== '1',
};

/** What the active profiles set that tuning sets otherwise, and those of which nothing is known. */
export function tunedAgainst(host: Host): { against: string[]; unknown: string[] } {
  const found = tunedProfiles(host).map((name) => ({ name, content: read(host, name) }));
  const against = Object.entries(wanted).flatMap(([place, fits]) => {
    const value = found.map(({ content }) => content?.sets.get(place)).find((set) => set !== undefined);
    return value === undefined || value.includes('${') || fits(value)
      ? []
      : [`${place.slice(place.indexOf(' ') + 1)}=${value}`];
  });
  return { against, unknown: found.filter(({ content }) => content === null).map(({ name }) => name) };
}

/**
 * A variable of the profiles that are active: as a profile's own `[variables]` set it, a file that these include, or
 * `/etc/tuned/PROFILE-variables.conf`, which the shipped ones include; null where none does.
 */
export function tunedVariable(host: Host, name: string): string | null {
  for (const profile of tunedProfiles(host)) {
    const sets = read(host, profile)?.sets;
    const own = sets?.get(`variables ${name}`);
    if (own !== undefined && !own.includes('${')) return own;
    const files = [sets?.get('variables include'), `/etc/tuned/${profile}-variables.conf`];
    for (const file of files) {
      const text = file === undefined ? '' : (host.read(file) ?? '');
      const value = new RegExp(`^[^\\S\\n]*${name}[^\\S\\n]*=[^\\S\\n]*(.*?)[^\\S\\n]*$`, 'm').exec(
        text,
      )?.[1];
      if (value !== undefined) return value;
    }
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
