// SPDX-License-Identifier: Apache-2.0
import type { TunedDomain } from './domain.js';

/** What the administrator says to tune. */
export interface TuneRequest {
  domain: TunedDomain | null;
  /** Where DPDK vCPUs shall run, for those that are not pinned yet: vCPU to CPU. */
  pins: ReadonlyMap<number, number>;
  /** NICs by PCI address, with the CPUs of their interrupts where they are said: see `NicTarget`. */
  nics: ReadonlyMap<string, number | readonly number[] | null>;
  /** CPUs of a DPDK program on the host itself; only without a domain. */
  cpus: readonly number[];
  /** Longest exit latency of an idle state that a DPDK CPU may enter, us; null: the shallowest real state. */
  maxExitLatency: number | null;
}

/** What a question left open keeps from being tuned. */
export interface Undecided {
  code: string;
  what: string;
  todo: string;
}
