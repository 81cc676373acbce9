// SPDX-License-Identifier: Apache-2.0

import { shellWord } from '../../src/support/shell-words.js';
import type { Host } from '../host/host.js';
import { formatCpus, overlap, parseCpus, without } from './cpu-set.js';
import { onlineCpus, setAside, union } from './cpus.js';
import type { TunedDomain, TunedDomainFacts } from './domain.js';
import { occupiedCpus, pollingThreads, type VmThread, vmThreads } from './neighbours.js';
import { type NicTarget, nicTargets } from './nic-target.js';
import { alone, type Placement, placements } from './placement.js';
import { applyCommand, type TuneRequest, type Undecided } from './request.js';

/** What is tuned: worked out from the request and the host as it is. */
export interface Target {
  domain: TunedDomain | null;
  facts: TunedDomainFacts | null;
  dpdk: readonly Placement[];
  /** DPDK CPUs, ascending. */
  cpus: readonly number[];
  /** Online CPUs for ordinary work: neither set apart, nor a DPDK CPU, nor a vCPU's or a polling program's. */
  housekeeping: readonly number[];
  online: readonly number[];
  /** CPUs that something keeps apart from ordinary work. */
  apart: readonly number[];
  /** Threads of all VMs. */
  neighbours: readonly VmThread[];
  nics: readonly NicTarget[];
  maxExitLatency: number | null;
  /** The command that tunes it so, for a shell. */
  apply: string;
  undecided: readonly Undecided[];
}

/** Everything is known that settings guard each other by: else none that rests on another is made. */
export function isDecided({ facts, dpdk, nics, undecided }: Target): boolean {
  return undecided.length === 0 && dpdk.length > 0 && (facts === null || nics.length > 0);
}

/** Works out what to tune. Throws `NO_VCPU`, `CPU_OFFLINE`, `NO_NIC` where the request names what is not there. */
export async function resolveTarget(host: Host, request: TuneRequest): Promise<Target> {
  const undecided: Undecided[] = [];
  const facts = (await request.domain?.facts()) ?? null;
  const online = onlineCpus(host);
  const apart = union(...setAside(host).map(({ cpus }) => cpus));
  const neighbours = vmThreads(host);
  const seen = { threads: neighbours, pollers: pollingThreads(host) };
  const { theirs, confined } = occupiedCpus(seen, facts?.pid ?? null, { online, apart });
  const dpdk = facts
    ? placements({ online, apart, theirs, confined }, request, facts, undecided)
    : request.cpus.map((cpu) => ({ vcpu: null, cpu }));
  const cpus = union(dpdk.map(({ cpu }) => cpu));
  const ordinary = without(without(without(online, apart), cpus), theirs);
  const shared = without(ordinary, pinnedCpus(facts));
  const target: Target = {
    domain: request.domain,
    facts,
    dpdk,
    cpus,
    housekeeping: [without(shared, confined), shared, ordinary].find((list) => list.length > 0) ?? [],
    online,
    apart,
    neighbours,
    nics: nicTargets(host, request, facts, cpus, undecided),
    maxExitLatency: request.maxExitLatency,
    apply: applyCommand(request, facts?.name ?? null),
    undecided,
  };
  undecided.push(...emulatorPlace(target));
  return target;
}

/** Where ordinary work may go: to CPUs for it; on a host without any to those that DPDK does not have. */
export const ordinaryCpus = ({ housekeeping, online, cpus }: Target): number[] =>
  housekeeping.length > 0 ? [...housekeeping] : without(online, cpus);

/** CPUs that a vCPU of the domain has for itself. */
const pinnedCpus = (facts: TunedDomainFacts | null): number[] =>
  (facts?.vcpus ?? []).map(({ cpus }) => alone(cpus)).filter((cpu) => cpu !== null);

/** Where QEMU's own threads may go: of the CPUs for ordinary work those to which its cpuset lets them. */
export function emulatorCpus({ facts, housekeeping }: Target): number[] {
  return facts?.cpuset == null ? [...housekeeping] : overlap(housekeeping, parseCpus(facts.cpuset));
}

/** By libvirt, which sets the cpuset too. */
function emulatorCure({ facts, housekeeping, apply }: Target): string {
  if (housekeeping.length === 0)
    return 'Leave a CPU of the host to ordinary work: boot with fewer in isolcpus=, or give a VM fewer.';
  return facts?.cpuset == null
    ? apply
    : `virsh emulatorpin ${shellWord(facts.name)} ${formatCpus(housekeeping)} --live --config  # or: ${apply} -c qemu:///system`;
}

function emulatorPlace(target: Target): Undecided[] {
  const { facts, cpus, housekeeping } = target;
  if (!facts || overlap(parseCpus(facts.emulatorCpus), cpus).length === 0 || emulatorCpus(target).length > 0)
    return [];
  const why =
    housekeeping.length === 0
      ? 'no CPU of this host is left for ordinary work'
      : `its cpuset (${facts.cpuset}) has none of the CPUs for ordinary work (${formatCpus(housekeeping)})`;
  return [
    {
      code: 'emulator-place',
      what: `QEMU's own threads (CPUs ${facts.emulatorCpus}) share CPUs with DPDK (${formatCpus(cpus)}), and ${why}`,
      todo: emulatorCure(target),
    },
  ];
}
