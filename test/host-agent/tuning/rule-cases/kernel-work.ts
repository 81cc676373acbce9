// SPDX-License-Identifier: Apache-2.0
import { type RuleCase, rt } from './trees.js';

export const kernelWorkCases: RuleCase[] = [
  [
    'nmi-watchdog',
    'warn',
    { files: { '/proc/sys/kernel/nmi_watchdog': '1' } },
    {
      files: {
        '/proc/sys/kernel/nmi_watchdog': '1',
        '/proc/sys/kernel/watchdog_cpumask': '0-1',
        '/sys/devices/system/cpu/possible': '0-7',
      },
    },
    /nmi_watchdog=0/,
  ],
  [
    'watchdog-mask',
    'warn',
    {
      files: {
        '/proc/sys/kernel/soft_watchdog': '1',
        '/proc/sys/kernel/watchdog_cpumask': '0-7',
        '/sys/devices/system/cpu/possible': '0-7',
      },
    },
    {
      files: {
        '/proc/sys/kernel/soft_watchdog': '1',
        '/proc/sys/kernel/watchdog': '0',
        '/proc/sys/kernel/watchdog_cpumask': '0-7',
      },
    },
    /watchdog_cpumask=0-1/,
  ],
  [
    'workqueue-mask',
    'warn',
    { files: { '/sys/devices/virtual/workqueue/cpumask': 'ff' } },
    { files: { '/sys/devices/virtual/workqueue/cpumask': '3' } },
    /echo bf >/,
  ],
  [
    'workqueue-mask',
    'warn',
    { files: { '/sys/devices/virtual/workqueue/writeback/cpumask': 'ffffffff,ffffffff' } },
    { files: { '/sys/devices/virtual/workqueue/writeback/cpumask': 'ffffffff,ffffff3f' } },
    /echo ffffffff,ffffffbf >/,
  ],
  [
    'vmstat-interval',
    'warn',
    { files: { '/proc/sys/vm/stat_interval': '1', '/proc/version': rt } },
    {
      files: {
        '/proc/sys/vm/stat_interval': '1',
        '/proc/version': rt,
        '/sys/devices/system/cpu/isolated': '6-7',
        '/sys/devices/system/cpu/possible': '0-7',
      },
    },
    /stat_interval=10/,
  ],
  [
    'vmstat-interval',
    'warn',
    {
      files: {
        '/proc/sys/vm/stat_interval': '1',
        '/proc/version': 'Linux version 6.1.0-30-rt-amd64',
        '/sys/devices/system/cpu/isolated': '6-7',
        '/sys/devices/system/cpu/possible': '0-7',
      },
    },
    { files: { '/proc/sys/vm/stat_interval': '10', '/proc/version': 'Linux version 6.1.0-30-rt-amd64' } },
    /stat_interval=10/,
  ],
  [
    'timer-migration',
    'warn',
    { files: { '/proc/sys/kernel/timer_migration': '1' } },
    { files: { '/proc/sys/kernel/timer_migration': '0' } },
    /timer_migration=0/,
  ],
  [
    'rcu-expedited',
    'warn',
    { files: { '/sys/kernel/rcu_expedited': '1' } },
    { files: { '/sys/kernel/rcu_expedited': '1', '/sys/kernel/rcu_normal': '1' } },
    /echo 0/,
  ],
];
