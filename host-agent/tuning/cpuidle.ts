// SPDX-License-Identifier: Apache-2.0
import type { Host } from '../host/host.js';

/** One idle state of one CPU (linux: Documentation/admin-guide/pm/cpuidle.rst, "Representation of Idle States"). */
export interface IdleState {
  index: number;
  name: string;
  /** us */
  exitLatency: number;
  /** How often it has been asked for since boot. */
  usage: number;
  disabled: boolean;
}

export function idleDriver(host: Host): string {
  return host.read('/sys/devices/system/cpu/cpuidle/current_driver') ?? 'none';
}

export function idleStates(host: Host, cpu: number): IdleState[] {
  const folder = `/sys/devices/system/cpu/cpu${cpu}/cpuidle`;
  return host
    .names(folder)
    .filter((name) => /^state\d+$/.test(name))
    .map((name, index) => ({
      index,
      name: host.read(`${folder}/${name}/name`) ?? name,
      exitLatency: Number(host.read(`${folder}/${name}/latency`) ?? 0),
      usage: Number(host.read(`${folder}/${name}/usage`) ?? 0),
      disabled: host.read(`${folder}/${name}/disable`) === '1',
    }));
}

/** POLL is a loop, and haltpoll's one state an exit to a hypervisor: neither is a C-state of hardware. */
export function hardwareStates(host: Host, cpu: number): IdleState[] {
  if (['none', 'haltpoll'].includes(idleDriver(host))) return [];
  return idleStates(host, cpu).filter(({ name }) => name !== 'POLL');
}

/** A CPU's own limit on the exit latency of its idle states. */
export function resumeLatencyFile(cpu: number): string {
  return `/sys/devices/system/cpu/cpu${cpu}/power/pm_qos_resume_latency_us`;
}

/**
 * That file's value for a limit, us: 0 there means "any", and `n/a` no latency at all (linux:
 * Documentation/ABI/testing/sysfs-devices-power; drivers/base/power/sysfs.c).
 */
export function resumeLatencyValue(limit: number): string {
  return limit === 0 ? 'n/a' : String(limit);
}

/** The limit that a value of that file stands for, us. */
export function resumeLatencyLimit(value: string): number {
  if (value === 'n/a') return 0;
  const limit = Number(value);
  return limit === 0 ? Number.POSITIVE_INFINITY : limit;
}
