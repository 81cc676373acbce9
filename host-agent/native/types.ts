// SPDX-License-Identifier: Apache-2.0
import type { DomainIdentity, Unknown } from './events.js';

/**
 * What a change is made to, or a value read of, as in virsh: the running domain, its persistent definition,
 * or (`current`) the running domain if it runs and else its definition.
 */
export type Affect = 'current' | 'live' | 'config';

/** As `Affect`; a change may be made to both at once. */
export type Affected = Affect | 'live+config';

/** virDomainState, and the virDomain…Reason that goes with it. */
export interface DomainState {
  state:
    | 'no state'
    | 'running'
    | 'blocked'
    | 'paused'
    | 'in shutdown'
    | 'shut off'
    | 'crashed'
    | 'pmsuspended'
    | Unknown;
  reason: number;
}

export interface Vcpu {
  number: number;
  state: 'offline' | 'running' | 'blocked' | Unknown;
  /** CPU time used, ns. */
  cpuTime: bigint;
  /** The pCPU it runs on or ran on last; null if it is offline or that is not known. */
  cpu: number | null;
  /** The pCPUs it may run on. */
  affinity: number[];
}

/** virDomainStatsTypes, by the names of `virsh domstats`. */
export type StatsGroup =
  | 'state'
  | 'cpu-total'
  | 'balloon'
  | 'vcpu'
  | 'interface'
  | 'block'
  | 'perf'
  | 'iothread'
  | 'memory'
  | 'dirtyrate'
  | 'vm';

/**
 * libvirt's typed parameters as a flat object under libvirt's own names (`vcpu.0.time`). Its 64-bit types are
 * always bigint, its 32-bit types and double always number, whatever the value.
 */
export type TypedParameters = Record<string, number | bigint | boolean | string>;

export interface Stats {
  domain: DomainIdentity;
  values: TypedParameters;
}

export interface SchedulerParameters {
  /** What schedules the domain, e.g. `posix` (cgroups). */
  type: string;
  values: TypedParameters;
}
