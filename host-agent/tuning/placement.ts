// SPDX-License-Identifier: Apache-2.0
import { VmcallError } from '../../src/support/errors.js';
import { isRealTime } from '../host/scheduling.js';
import { formatCpus, overlap, parseCpus, without } from './cpu-set.js';
import type { TunedDomainFacts } from './domain.js';
import type { Occupied } from './neighbours.js';
import { applyCommand, type TuneRequest, type Undecided } from './request.js';

/** Of the host: which CPUs there are, which are set apart, and which are others': see `Occupied`. */
interface Cpus extends Readonly<Occupied> {
  online: readonly number[];
  apart: readonly number[];
}

export interface Placement {
  /** Null for a DPDK program on the host. */
  vcpu: number | null;
  cpu: number;
}

export const alone = (cpus: string): number | null => {
  const list = parseCpus(cpus);
  return list.length === 1 ? (list[0] ?? null) : null;
};

/** DPDK vCPUs: those the request names; else what the domain itself shows to be meant for that. */
export function placements(
  cpus: Cpus,
  request: TuneRequest,
  facts: TunedDomainFacts,
  undecided: Undecided[],
): Placement[] {
  const placed =
    request.pins.size > 0 ? asked(cpus, request, facts, undecided) : seen(cpus, request, facts, undecided);
  for (const { vcpu, cpu } of placed) {
    const same = facts.vcpus.filter((other) => other.vcpu !== vcpu && alone(other.cpus) === cpu);
    if (same.length > 0 || placed.some((other) => other.vcpu !== vcpu && other.cpu === cpu))
      undecided.push({
        code: 'vcpu-cpu-shared',
        what: `vCPU ${vcpu} shares CPU ${cpu} with another vCPU of ${facts.name}: one that polls keeps the other from running`,
        todo: 'Give each a CPU of its own, with virsh vcpupin.',
      });
  }
  const taken = overlap(
    placed.map(({ cpu }) => cpu),
    [...cpus.theirs, ...cpus.confined],
  );
  if (taken.length > 0)
    undecided.push({
      code: 'cpu-of-another-vm',
      what: `a vCPU of another VM, or a polling program's thread, is pinned to CPU ${formatCpus(taken)}`,
      todo: 'Give each VM CPUs of its own (virsh vcpupin), or name another CPU by --pin.',
    });
  // A vCPU that is not pinned yet is not put where another VM's is.
  return placed.filter(({ vcpu, cpu }) => {
    const own = facts.vcpus.find((entry) => entry.vcpu === vcpu);
    return !taken.includes(cpu) || alone(own?.cpus ?? '') === cpu;
  });
}

function asked(
  { online }: Cpus,
  request: TuneRequest,
  facts: TunedDomainFacts,
  undecided: Undecided[],
): Placement[] {
  return [...request.pins].map(([vcpu, wanted]) => {
    const own = facts.vcpus.find((entry) => entry.vcpu === vcpu);
    if (!own || !online.includes(wanted))
      throw new VmcallError(
        own ? 'CPU_OFFLINE' : 'NO_VCPU',
        own ? `CPU ${wanted} is not online` : `${facts.name} has no vCPU ${vcpu}`,
        `It has vCPUs ${formatCpus(facts.vcpus.map((entry) => entry.vcpu))}; CPUs ${formatCpus(online)} are online.`,
        2,
      );
    const pinned = alone(own.cpus);
    if (pinned !== null && pinned !== wanted)
      undecided.push({
        code: 'vcpu-pinned-elsewhere',
        what: `vCPU ${vcpu} is pinned to CPU ${pinned}, not ${wanted}`,
        todo: 'A pinned thread is never moved: change the domain if it shall run elsewhere.',
      });
    return { vcpu, cpu: pinned ?? wanted };
  });
}

/**
 * Those with a CPU of their own. Where some vCPU is real-time, whoever set that up meant those and left the others
 * ordinary (nova: hw:cpu_realtime_mask); where none is, vCPU 0 is not one, for it does the guest's own work.
 */
function seen(
  { apart, online, theirs, confined }: Cpus,
  request: TuneRequest,
  facts: TunedDomainFacts,
  undecided: Undecided[],
): Placement[] {
  const chosen = facts.vcpus.some(({ scheduling }) => isRealTime(scheduling));
  const pinned = facts.vcpus.flatMap(({ vcpu, cpus, scheduling }) => {
    const cpu = alone(cpus);
    return cpu === null ? [] : [{ vcpu, cpu, meant: chosen ? isRealTime(scheduling) : vcpu !== 0 }];
  });
  const meant = pinned.filter(({ meant }) => meant).map(({ vcpu, cpu }) => ({ vcpu, cpu }));
  const left = without(apart.length > 0 ? apart : online, [...theirs, ...confined]);
  const free = left.at(-1) ?? online.at(-1) ?? 0;
  const example = (vcpu: number, cpu: number) =>
    applyCommand({ ...request, pins: new Map([[vcpu, cpu]]) }, facts.name);
  if (meant.length === 0)
    undecided.push(
      pinned.length === 0 || chosen
        ? {
            code: 'vcpu-not-pinned',
            what: `no ${chosen ? 'real-time ' : ''}vCPU of ${facts.name} is pinned to a CPU of its own`,
            todo: `Say which is the DPDK vCPU and where it runs (set apart and free: ${formatCpus(left) || 'none'}), as in: ${example(facts.vcpus.at(-1)?.vcpu ?? 0, free)}`,
          }
        : {
            code: 'vcpu-0',
            what: `only vCPU 0 of ${facts.name} is pinned to a CPU of its own, which does the guest's ordinary work too`,
            todo: `Is it the DPDK vCPU all the same? Then: ${example(0, pinned[0]?.cpu ?? 0)}`,
          },
    );
  const onApart = meant.filter(({ cpu }) => apart.includes(cpu));
  return onApart.length > 0 ? onApart : meant;
}
