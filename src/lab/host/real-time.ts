// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs';
import { writeText } from './commands.js';

/**
 * Lets real-time threads have a CPU for as long as they want it, as hosts for DPDK guests are set up. Otherwise
 * whatever of lower priority they kept from running is given up to 50 ms of each second in one piece, and the vCPU
 * sleeps through dozens of packets (linux: Documentation/scheduler/sched-rt-group.rst; since 6.12 the fair server,
 * kernel/sched/debug.c).
 */
export function liftRealTimeThrottling(cpu: number): void {
  writeText('/proc/sys/kernel/sched_rt_runtime_us', '-1');
  const fairServer = `/sys/kernel/debug/sched/fair_server/cpu${cpu}/runtime`;
  if (existsSync(fairServer)) writeText(fairServer, '0');
}

/** No work for the kernel's memory statistics on isolated CPUs during a run (linux: vm.stat_interval, s). */
export function postponeStatistics(): void {
  writeText('/proc/sys/vm/stat_interval', '600');
}
