// SPDX-License-Identifier: Apache-2.0
import { VmcallError } from '../../src/support/errors.js';
import type { Host } from '../host/host.js';
import { formatCpus, parseCpus, without } from './cpu-set.js';
import type { Domain, DomainFacts } from './domain.js';

/** What the administrator says to tune. */
export interface Wish {
  domain: Domain | null;
  /** Where DPDK vCPUs shall run, for those that are not pinned yet: vCPU to CPU. */
  pins: ReadonlyMap<number, number>;
  /** NICs by PCI address, with the CPU of their interrupts where it is said. */
  nics: ReadonlyMap<string, number | null>;
  /** CPUs of a DPDK program on the host itself; only without a domain. */
  cpus: readonly number[];
  /** Longest exit latency of an idle state that a DPDK CPU may enter, us; null: the shallowest real state. */
  maxExitLatency: number | null;
}

export interface Placement {
  /** Null for a DPDK program on the host. */
  vcpu: number | null;
  cpu: number;
}

/** What a question left open keeps from being tuned. */
export interface Undecided {
  code: string;
  what: string;
  todo: string;
}

/** What is tuned: worked out from the wish and the host as it is. */
export interface Target {
  domain: Domain | null;
  facts: DomainFacts | null;
  dpdk: readonly Placement[];
  /** DPDK CPUs, ascending. */
  cpus: readonly number[];
  /** Online CPUs that are neither isolated nor a DPDK CPU. */
  housekeeping: readonly number[];
  nics: readonly { address: string; cpu: number | null }[];
  maxExitLatency: number | null;
  undecided: readonly Undecided[];
}

export function onlineCpus(host: Host): number[] {
  return parseCpus(host.read('/sys/devices/system/cpu/online') ?? '');
}

/** CPUs that isolcpus= keeps from the scheduler's balancing (linux: drivers/base/cpu.c, `isolated`). */
export function isolatedCpus(host: Host): number[] {
  return parseCpus(host.read('/sys/devices/system/cpu/isolated') ?? '');
}

/** PCI base class 02h: network controllers (PCI Code and ID Assignment Specification). */
export function isNic(host: Host, address: string): boolean {
  return host.read(`/sys/bus/pci/devices/${address}/class`)?.startsWith('0x02') ?? false;
}

const alone = (cpus: string): number | null => {
  const list = parseCpus(cpus);
  return list.length === 1 ? (list[0] ?? null) : null;
};

/** DPDK vCPUs: those the wish names; else those pinned to a CPU of their own, isolated ones before others. */
function placements(host: Host, wish: Wish, facts: DomainFacts, undecided: Undecided[]): Placement[] {
  const online = onlineCpus(host);
  if (wish.pins.size > 0)
    return [...wish.pins].map(([vcpu, wanted]) => {
      const seen = facts.vcpus.find((entry) => entry.vcpu === vcpu);
      if (!seen || !online.includes(wanted))
        throw new VmcallError(
          seen ? 'CPU_OFFLINE' : 'NO_VCPU',
          seen ? `CPU ${wanted} is not online` : `${facts.name} has no vCPU ${vcpu}`,
          `It has vCPUs ${formatCpus(facts.vcpus.map((entry) => entry.vcpu))}; CPUs ${formatCpus(online)} are online.`,
          2,
        );
      const pinned = alone(seen.cpus);
      if (pinned !== null && pinned !== wanted)
        undecided.push({
          code: 'vcpu-pinned-elsewhere',
          what: `vCPU ${vcpu} is pinned to CPU ${pinned}, not ${wanted}`,
          todo: 'A pinned thread is never moved: change the domain if it shall run elsewhere.',
        });
      return { vcpu, cpu: pinned ?? wanted };
    });
  const pinned = facts.vcpus
    .map(({ vcpu, cpus }) => ({ vcpu, cpu: alone(cpus) }))
    .filter((entry): entry is { vcpu: number; cpu: number } => entry.cpu !== null);
  const isolated = isolatedCpus(host);
  const onIsolated = pinned.filter(({ cpu }) => isolated.includes(cpu));
  if (pinned.length === 0)
    undecided.push({
      code: 'vcpu-not-pinned',
      what: `no vCPU of ${facts.name} is pinned to a CPU of its own`,
      todo: `Say which is the DPDK vCPU and where it runs: --pin VCPU=CPU (isolated: ${formatCpus(isolated) || 'none'}).`,
    });
  return onIsolated.length > 0 ? onIsolated : pinned;
}

/** Throws `NO_NIC` for an address that this host does not have. */
function nicTargets(
  host: Host,
  wish: Wish,
  facts: DomainFacts | null,
  cpus: readonly number[],
  undecided: Undecided[],
) {
  const asked =
    wish.nics.size > 0 ? [...wish.nics.keys()] : (facts?.hostdevs ?? []).filter((a) => isNic(host, a));
  return asked.map((address) => {
    if (!host.exists(`/sys/bus/pci/devices/${address}`))
      throw new VmcallError('NO_NIC', `there is no PCI function ${address}`, 'See lspci -D.', 2);
    const cpu = wish.nics.get(address) ?? (cpus.length === 1 ? (cpus[0] ?? null) : null);
    if (cpu === null && cpus.length > 1)
      undecided.push({
        code: 'nic-cpu',
        what: `which of the CPUs ${formatCpus(cpus)} waits for ${address} is not known`,
        todo: `Say it: --nic ${address}=CPU.`,
      });
    return { address, cpu };
  });
}

/** Works out what to tune. Throws `NO_VCPU`, `CPU_OFFLINE`, `NO_NIC` where the wish names what is not there. */
export async function resolveTarget(host: Host, wish: Wish): Promise<Target> {
  const undecided: Undecided[] = [];
  const facts = (await wish.domain?.facts()) ?? null;
  const dpdk = facts
    ? placements(host, wish, facts, undecided)
    : wish.cpus.map((cpu) => ({ vcpu: null, cpu }));
  const cpus = [...new Set(dpdk.map(({ cpu }) => cpu))].sort((a, b) => a - b);
  const online = onlineCpus(host);
  return {
    domain: wish.domain,
    facts,
    dpdk,
    cpus,
    housekeeping: without(without(online, isolatedCpus(host)), cpus),
    nics: nicTargets(host, wish, facts, cpus, undecided),
    maxExitLatency: wish.maxExitLatency,
    undecided,
  };
}
