// SPDX-License-Identifier: Apache-2.0
import type { Host } from '../../host/host.js';
import { formatCpus, overlap } from '../cpu-set.js';
import { namedCpus } from '../cpus.js';
import { ordinaryCpus, type Target } from '../target.js';
import { type Rule, wellRead } from './rule.js';

const kernel = '/proc/sys/kernel';
const mask = `${kernel}/watchdog_cpumask`;

/** DPDK CPUs that the watchdogs watch; where the mask cannot be read, all of them. */
function watched(host: Host, { cpus }: Target): number[] {
  const list = host.read(mask);
  return list === null ? [...cpus] : overlap(cpus, namedCpus(host, list));
}

const isOn = (host: Host, name: string) =>
  host.read(`${kernel}/${name}`) === '1' && host.read(`${kernel}/watchdog`) !== '0';

export const nmiWatchdog: Rule = {
  code: 'nmi-watchdog',
  severity: 'warn',
  why: 'the hard-lockup detector takes a performance counter of each CPU it watches and interrupts it by NMI every some seconds: in a guest that is an exit',
  source: 'linux: Documentation/admin-guide/lockup-watchdogs.rst; tuned: profiles/cpu-partitioning',
  judge(host, target) {
    if (host.read(`${kernel}/nmi_watchdog`) === null) return [];
    const those = watched(host, target);
    if (!isOn(host, 'nmi_watchdog') || those.length === 0)
      return [wellRead('no hard-lockup detector on the DPDK CPUs')];
    return [
      {
        read: `the hard-lockup detector watches CPU ${formatCpus(those)} (kernel.nmi_watchdog 1)`,
        cure: 'sysctl kernel.nmi_watchdog=0',
        undo: 'sysctl kernel.nmi_watchdog=1',
      },
    ];
  },
};

export const watchdogMask: Rule = {
  code: 'watchdog-mask',
  severity: 'warn',
  why: 'the soft-lockup detector has a timer on each CPU of its mask, every four seconds, and a thread that the CPU must run',
  source: 'linux: Documentation/admin-guide/lockup-watchdogs.rst; kernel/watchdog.c (sample_period)',
  judge(host, target) {
    const list = host.read(mask);
    if (list === null) return [];
    const those = watched(host, target);
    if (!isOn(host, 'soft_watchdog') || those.length === 0)
      return [wellRead('no soft-lockup detector on the DPDK CPUs')];
    return [
      {
        read: `the soft-lockup detector watches CPU ${formatCpus(those)} (kernel.watchdog_cpumask ${list})`,
        cure: `sysctl kernel.watchdog_cpumask=${formatCpus(ordinaryCpus(target))}`,
        undo: `sysctl kernel.watchdog_cpumask=${list}`,
      },
    ];
  },
};
