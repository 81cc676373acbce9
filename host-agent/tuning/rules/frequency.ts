// SPDX-License-Identifier: Apache-2.0
import { isRealTime } from '../../host/scheduling.js';
import { formatCpus } from '../cpu-set.js';
import { writeEach } from '../shell.js';
import { byValue } from './per-cpu.js';
import { type Rule, wellRead } from './rule.js';

const folder = '/sys/devices/system/cpu/cpu{}/cpufreq';
const preference = `${folder}/energy_performance_preference`;
const isFast = (value: string | null) => value === 'performance' || value === '0';

/** A CPU that was idle is clocked down, and runs its first packets slowly. */
export const frequencyGovernor: Rule = {
  code: 'frequency-governor',
  severity: 'warn',
  why: 'a vCPU that yields makes its CPU look idle: the governor clocks it down, and the next packet runs at the low clock first',
  source: 'linux: Documentation/admin-guide/pm/cpufreq.rst, intel_pstate.rst; DPDK/grout f3846fe5 (uclamp)',
  judge: (host, { cpus }) =>
    [...byValue(host, cpus, `${folder}/scaling_governor`)].map(([governor, those]) => {
      const list = formatCpus(those);
      // In its active mode intel_pstate's powersave leaves the clock to the hardware, which the preference says.
      const byHardware =
        governor === 'powersave' &&
        those.every((cpu) => isFast(host.read(preference.replace('{}', String(cpu)))));
      if (governor === 'performance' || byHardware) return wellRead(`CPU ${list}: governor ${governor}`);
      return {
        read: `CPU ${list}: the frequency governor is ${governor}`,
        cure: `${writeEach(those, `${folder}/scaling_governor`, 'performance')}`,
        undo: `${writeEach(those, `${folder}/scaling_governor`, governor)}`,
      };
    }),
};

export const energyPreference: Rule = {
  code: 'energy-preference',
  severity: 'warn',
  why: 'with hardware-managed clocks the energy preference says how fast a CPU that wakes clocks up',
  source: 'linux: Documentation/admin-guide/pm/intel_pstate.rst, amd-pstate.rst',
  judge: (host, { cpus }) =>
    [...byValue(host, cpus, preference)].map(([value, those]) =>
      isFast(value)
        ? wellRead(`CPU ${formatCpus(those)}: energy preference ${value}`)
        : {
            read: `CPU ${formatCpus(those)}: the energy preference is ${value}`,
            cure: `${writeEach(those, preference, 'performance')}`,
            undo: `${writeEach(those, preference, value)}`,
          },
    ),
};

const most = 1024;

/** schedutil alone takes clamps. */
export const utilisationClamp: Rule = {
  code: 'uclamp',
  severity: 'warn',
  why: 'schedutil clocks by utilisation, and a program that sleeps between packets has little: only a clamp keeps its CPU fast',
  source: 'linux: Documentation/scheduler/sched-util-clamp.rst; DPDK/grout f3846fe5 (uclamp_min)',
  judge(host, { cpus, facts, dpdk, apply }) {
    const slow = byValue(host, cpus, `${folder}/scaling_governor`).get('schedutil') ?? [];
    if (slow.length === 0 || !facts) return [];
    const threads = facts.vcpus.filter(({ vcpu }) => dpdk.some((placed) => placed.vcpu === vcpu));
    const ordinary = threads.filter(({ scheduling }) => !isRealTime(scheduling));
    const file = '/proc/sys/kernel/sched_util_clamp_min_rt_default';
    const least = Number(host.read(file) ?? most);
    const verdicts = ordinary.map(({ vcpu, thread }) => ({
      read: `CPU ${formatCpus(slow)} is clocked by schedutil, and vCPU ${vcpu} (thread ${thread}) is an ordinary one`,
      cure: `uclampset -m ${most} -p ${thread}  # or make it real-time: ${apply}`,
      undo: `uclampset -m 0 -p ${thread}`,
    }));
    if (ordinary.length === threads.length || least >= most) return verdicts;
    return [
      ...verdicts,
      {
        read: `CPU ${formatCpus(slow)} is clocked by schedutil, and real-time tasks ask for ${least} of ${most} (${file})`,
        cure: `sysctl kernel.sched_util_clamp_min_rt_default=${most}`,
        undo: `sysctl kernel.sched_util_clamp_min_rt_default=${least}`,
      },
    ];
  },
};
