// SPDX-License-Identifier: Apache-2.0
import type { Host } from '../../host/host.js';
import { cpuDmaLatency, noLimit } from '../cpu-dma-latency.js';
import { formatCpus, overlap } from '../cpu-set.js';
import { hardwareStates, resumeLatencyFile, resumeLatencyLimit } from '../cpuidle.js';
import { ticklessCpus } from '../cpus.js';
import { type Rule, wellRead } from './rule.js';

const folder = '/sys/devices/system/cpu/cpuidle';

const governorOf = (host: Host) =>
  host.read(`${folder}/current_governor`) ?? host.read(`${folder}/current_governor_ro`);

/** Whether a CPU may enter a state deeper than its first: neither switched off nor forbidden by PM QoS. */
export function mayIdleDeeply(host: Host, cpu: number): boolean {
  const [first, ...deeper] = hardwareStates(host, cpu);
  const limit = Math.min(
    resumeLatencyLimit(host.read(resumeLatencyFile(cpu)) ?? '0'),
    cpuDmaLatency(host) ?? noLimit,
  );
  return deeper.some(
    ({ disabled, exitLatency }) =>
      !disabled && exitLatency > (first?.exitLatency ?? 0) && exitLatency <= limit,
  );
}

export const idleGovernor: Rule = {
  code: 'cpuidle-governor',
  severity: 'warn',
  why: 'menu guesses idle times from the tick, which a nohz_full CPU does not have: it takes deep states before short waits (published: TCP latency 119 us with it and 12 us without on one server, 150 and 30 us on another)',
  source: 'StarlingX kernel, commit b41c09a; linux: drivers/cpuidle/governors/menu.c',
  judge(host, { cpus, apply }) {
    const governor = governorOf(host);
    if (governor === null) return [];
    const deep = overlap(cpus, ticklessCpus(host)).filter((cpu) => mayIdleDeeply(host, cpu));
    if (governor !== 'menu' || deep.length === 0) return [wellRead(`the cpuidle governor is ${governor}`)];
    return [
      {
        read: `the cpuidle governor is menu, and nohz_full CPU ${formatCpus(deep)} may enter states deeper than C1`,
        cure: `${apply}  # limits those CPUs by PM QoS; or another governor for all: echo teo > ${folder}/current_governor`,
        undo: `vmcall tune restore  # the governor: echo menu > ${folder}/current_governor`,
      },
    ];
  },
};
