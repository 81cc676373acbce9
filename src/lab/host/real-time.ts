// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs';
import { fairServerFile, setFairServer } from '../../../host-agent/tuning/fair-server.js';
import { writeText } from './commands.js';
import { tuning } from './knobs.js';

/**
 * Lets real-time threads have a CPU for as long as they want it, as hosts for DPDK guests are set up. Otherwise
 * whatever of lower priority they kept from running is given up to 50 ms of each second in one piece, and the vCPU
 * sleeps through dozens of packets (linux: Documentation/scheduler/sched-rt-group.rst; since 6.12 the fair server,
 * kernel/sched/debug.c).
 */
export function liftRealTimeThrottling(cpu: number): void {
  writeText('/proc/sys/kernel/sched_rt_runtime_us', '-1');
  if (existsSync(fairServerFile(cpu))) setFairServer(tuning.host, fairServerFile(cpu), '0');
}

/** No work for the kernel's memory statistics on isolated CPUs during a run (linux: vm.stat_interval, s). */
export function postponeStatistics(): void {
  writeText('/proc/sys/vm/stat_interval', '600');
}
