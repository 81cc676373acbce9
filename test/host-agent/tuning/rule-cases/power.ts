// SPDX-License-Identifier: Apache-2.0
import { frequency, idle, latency, type RuleCase, states } from './trees.js';

export const powerCases: RuleCase[] = [
  [
    'cpuidle-governor',
    'warn',
    { files: states },
    { files: { ...states, '/sys/devices/system/cpu/cpuidle/current_governor': 'teo' } },
    /teo/,
  ],
  [
    'cpuidle-governor',
    'warn',
    { files: states },
    { files: { ...states, '/sys/devices/system/cpu/cpu6/power/pm_qos_resume_latency_us': '2' } },
    /tune apply/,
  ],
  [
    'cpuidle-governor',
    'warn',
    { files: states },
    { files: { ...states, '/dev/cpu_dma_latency': latency(2) } },
    /tune apply/,
  ],
  [
    'cpuidle-governor',
    'warn',
    { files: states },
    { files: { ...states, [`${idle}/state2/disable`]: '1' } },
    /tune apply/,
  ],
  [
    'cpuidle-governor',
    'warn',
    { files: states },
    { files: { ...states, '/sys/devices/system/cpu/nohz_full': '(null)' } },
    /tune apply/,
  ],
  [
    'frequency-governor',
    'warn',
    { files: { [`${frequency}/scaling_governor`]: 'ondemand' } },
    { files: { [`${frequency}/scaling_governor`]: 'performance' } },
    /for n in 6; do echo performance/,
  ],
  [
    'frequency-governor',
    'warn',
    {
      files: {
        [`${frequency}/scaling_governor`]: 'powersave',
        [`${frequency}/energy_performance_preference`]: 'balance_power',
      },
    },
    {
      files: {
        [`${frequency}/scaling_governor`]: 'powersave',
        [`${frequency}/energy_performance_preference`]: 'performance',
      },
    },
    /performance/,
  ],
  [
    'energy-preference',
    'warn',
    { files: { [`${frequency}/energy_performance_preference`]: 'balance_performance' } },
    { files: { [`${frequency}/energy_performance_preference`]: '0' } },
    /echo performance/,
  ],
  [
    'uclamp',
    'warn',
    {
      files: {
        [`${frequency}/scaling_governor`]: 'schedutil',
        '/proc/sys/kernel/sched_util_clamp_min_rt_default': '0',
      },
    },
    {
      files: {
        [`${frequency}/scaling_governor`]: 'schedutil',
        '/proc/sys/kernel/sched_util_clamp_min_rt_default': '1024',
      },
    },
    /=1024/,
  ],
];
