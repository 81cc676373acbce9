// SPDX-License-Identifier: Apache-2.0

import { shellWord } from '../../src/support/shell-words.js';
import { formatCpus } from './cpu-set.js';
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

/** The command that tunes what a request says, with what else is known by now. @param domain its name; null: none */
export function applyCommand(
  { pins, nics, cpus, maxExitLatency }: TuneRequest,
  domain: string | null,
): string {
  const words = [
    ...(domain === null ? ['--cpu', formatCpus(cpus)] : [domain]),
    ...[...pins].flatMap(([vcpu, cpu]) => ['--pin', `${vcpu}=${cpu}`]),
    ...[...nics].flatMap(([address, of]) => [
      '--nic',
      of === null ? address : `${address}=${[of].flat().join(',')}`,
    ]),
    ...(maxExitLatency === null ? [] : ['--max-exit-latency', String(maxExitLatency)]),
  ];
  return `vmcall tune apply ${words.map(shellWord).join(' ')}`;
}

/** What a question left open keeps from being tuned. */
export interface Undecided {
  code: string;
  what: string;
  todo: string;
}
