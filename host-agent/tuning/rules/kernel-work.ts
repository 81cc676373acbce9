// SPDX-License-Identifier: Apache-2.0
import { readThread } from '../../host/thread.js';
import { isOlderThan } from '../boot.js';
import { contains, formatCpus, parseCpus, without } from '../cpu-set.js';
import { isolatedCpus, ticklessCpus, union } from '../cpus.js';
import { ordinaryCpus } from '../target.js';
import { type Rule, wellRead } from './rule.js';

const usualInterval = 10;

/** Since 6.5 isolated CPUs are left alone whatever the interval is. */
export const vmstatInterval: Rule = {
  code: 'vmstat-interval',
  severity: 'warn',
  why: 'each interval the kernel folds each CPU’s memory counters, by a kernel thread on that CPU',
  source:
    'linux: mm/vmstat.c, vmstat_shepherd; Documentation/admin-guide/sysctl/vm.rst; tuned: profiles/cpu-partitioning',
  judge(host, { cpus }) {
    const interval = host.read('/proc/sys/vm/stat_interval');
    if (interval === null || cpus.length === 0) return [];
    const spared = isOlderThan(host, 6, 5) ? [] : union(isolatedCpus(host), ticklessCpus(host));
    const those = without(cpus, spared);
    if (those.length === 0 || Number(interval) >= usualInterval)
      return [wellRead(`vm.stat_interval is ${interval} s`)];
    return [
      {
        read: `vm.stat_interval is ${interval} s, and CPU ${formatCpus(those)} is not left out of it`,
        cure: `sysctl vm.stat_interval=${usualInterval}`,
        undo: `sysctl vm.stat_interval=${interval}`,
      },
    ];
  },
};

export const timerMigration: Rule = {
  code: 'timer-migration',
  severity: 'warn',
  why: 'other CPUs’ timers may be moved to a DPDK CPU, or, since 6.9, be run by one that is about to idle',
  source:
    'linux: kernel/time/timer_migration.c, kernel/sched/core.c (get_nohz_timer_target); tuned: profiles/cpu-partitioning',
  judge(host, { cpus }) {
    const value = host.read('/proc/sys/kernel/timer_migration');
    if (value === null || cpus.length === 0) return [];
    if (value === '0') return [wellRead('kernel.timer_migration is 0')];
    return [
      {
        read: `kernel.timer_migration is ${value}`,
        cure: 'sysctl kernel.timer_migration=0',
        undo: `sysctl kernel.timer_migration=${value}`,
      },
    ];
  },
};

export const rcuExpedited: Rule = {
  code: 'rcu-expedited',
  severity: 'warn',
  why: 'expedited grace periods interrupt every CPU that does not idle, a nohz_full one too',
  source: 'linux: Documentation/RCU/Design/Requirements; kernel/rcu/update.c (rcu_expedited, rcu_normal)',
  judge(host) {
    const expedited = host.read('/sys/kernel/rcu_expedited');
    if (expedited === null) return [];
    if (expedited === '0' || host.read('/sys/kernel/rcu_normal') === '1')
      return [wellRead('RCU grace periods are not expedited')];
    return [
      {
        read: `/sys/kernel/rcu_expedited is ${expedited}`,
        cure: 'echo 0 > /sys/kernel/rcu_expedited',
        undo: `echo ${expedited} > /sys/kernel/rcu_expedited`,
      },
    ];
  },
};

export const rcuThreads: Rule = {
  code: 'rcu-threads',
  severity: 'warn',
  why: 'rcu_nocbs= hands callbacks to threads: one that may run on a DPDK CPU alone brings them back, or waits for a vCPU that polls, and memory is not freed',
  source: 'linux: Documentation/admin-guide/kernel-parameters.txt, rcu_nocbs=; kernel/rcu/tree_nocb.h',
  judge(host, target) {
    const { cpus } = target;
    if (cpus.length === 0) return [];
    return host.names('/proc').flatMap((entry) => {
      if (!/^\d+$/.test(entry) || !/^rcuo[gps]/.test(host.read(`/proc/${entry}/comm`) ?? '')) return [];
      const thread = readThread(host, `/proc/${entry}`);
      if (!thread || !contains(cpus, parseCpus(thread.cpus))) return [];
      return [
        {
          read: `RCU’s thread ${thread.name} may run on CPU ${thread.cpus} alone`,
          cure: `taskset --pid --cpu-list ${formatCpus(ordinaryCpus(target))} ${thread.id}`,
          undo: `taskset --pid --cpu-list ${thread.cpus} ${thread.id}`,
        },
      ];
    });
  },
};
