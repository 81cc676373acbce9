// SPDX-License-Identifier: Apache-2.0
import { VmcallError } from '../../src/support/errors.js';
import type { Host } from '../host/host.js';
import { devices, qemuVms } from '../host/qemu-process.js';
import { formatCpus } from './cpu-set.js';
import type { TunedDomainFacts } from './domain.js';
import { applyCommand, type TuneRequest, type Undecided } from './request.js';

export interface NicTarget {
  address: string;
  /**
   * CPUs of its interrupts: one for all, or one for each queue in turn, which are vectors 1 and up, as vector 0 is for
   * events and goes to the first (dpdk: lib/eal/include/rte_interrupts.h, RTE_INTR_VEC_RXTX_OFFSET). Empty: not known.
   */
  cpus: readonly number[];
}

/** The CPU of a vector; null where it is not known. */
export function vectorCpu({ cpus }: NicTarget, vector: number): number | null {
  return cpus[Math.max(0, vector - 1) % cpus.length] ?? null;
}

/** PCI base class 02h: network controllers (PCI Code and ID Assignment Specification). */
export function isNic(host: Pick<Host, 'read'>, address: string): boolean {
  return host.read(`/sys/bus/pci/devices/${address}/class`)?.startsWith('0x02') ?? false;
}

/** Throws `NO_NIC` for an address that this host does not have. */
export function nicTargets(
  host: Host,
  request: TuneRequest,
  facts: TunedDomainFacts | null,
  cpus: readonly number[],
  undecided: Undecided[],
): NicTarget[] {
  const addresses =
    request.nics.size > 0 ? [...request.nics.keys()] : nicsOf(host, request, facts, undecided);
  return addresses.map((address) => {
    if (!host.exists(`/sys/bus/pci/devices/${address}`))
      throw new VmcallError('NO_NIC', `there is no PCI function ${address}`, 'See lspci -D.', 2);
    const other = facts && others(host, facts, address);
    if (other) {
      undecided.push(other);
      return { address, cpus: [] };
    }
    const said = [request.nics.get(address) ?? []].flat();
    const known = said.length > 0 ? said : cpus.length === 1 ? cpus : [];
    if (known.length === 0 && cpus.length > 1)
      undecided.push({
        code: 'nic-cpu',
        what: `which of the CPUs ${formatCpus(cpus)} waits for ${address} is not known`,
        todo: `Say it, by one CPU or one for each queue in turn, as in: ${applyCommand({ ...request, nics: new Map([...request.nics, [address, cpus]]) }, facts?.name ?? null)}`,
      });
    return { address, cpus: known };
  });
}

/** A NIC that was said for a domain and is another VM's. */
function others(host: Host, facts: TunedDomainFacts, address: string): Undecided | null {
  if ([...facts.hostdevs, ...facts.doubtful].includes(address)) return null;
  const holder = qemuVms(host).find(
    ({ pid }) => pid !== facts.pid && devices(host, pid).hostdevs.includes(address),
  );
  return holder
    ? {
        code: 'nic-of-another-vm',
        what: `${address} is passed through to ${holder.name}`,
        todo: `Say one of ${facts.name}'s own, or none: they are found.`,
      }
    : null;
}

function nicsOf(
  host: Host,
  request: TuneRequest,
  facts: TunedDomainFacts | null,
  undecided: Undecided[],
): string[] {
  if (!facts) return [];
  const nics = facts.hostdevs.filter((address) => isNic(host, address));
  const doubtful = facts.doubtful.filter((address) => isNic(host, address));
  if (doubtful.length > 0)
    undecided.push({
      code: 'nic-unknown',
      what: `${facts.name} has the IOMMU group of ${doubtful.join(' and ')} open, and which of them it was given is not known`,
      todo: `Say it, as in: ${applyCommand({ ...request, nics: new Map([...request.nics, [doubtful[0] ?? '', null]]) }, facts.name)}`,
    });
  else if (nics.length === 0)
    undecided.push({
      code: 'no-nic',
      what: `no NIC is passed through to ${facts.name} by VFIO${namesOfOthers(facts)}`,
      todo: 'Give it one (<hostdev> or <interface type="hostdev"> in the domain): only a passed-through NIC can wake it from the VM call.',
    });
  return nics;
}

function namesOfOthers({ hostdevs, mediated }: TunedDomainFacts): string {
  const given = [...hostdevs, ...mediated.map((uuid) => `mediated device ${uuid}`)];
  return given.length > 0 ? `: ${given.join(', ')} is none` : '';
}
