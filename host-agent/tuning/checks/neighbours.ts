// SPDX-License-Identifier: Apache-2.0

import { shellWord } from '../../../src/support/shell-words.js';
import type { Host } from '../../host/host.js';
import { type LibvirtStatus, libvirtStatus } from '../../host/libvirt-status.js';
import { contains, formatCpus, overlap, without } from '../cpu-set.js';
import { isolatedCpus } from '../cpus.js';
import type { VmThread } from '../neighbours.js';
import { strangersOnDpdk } from '../starvation.js';
import { ordinaryCpus, type Target } from '../target.js';
import { type Finding, fail, warn } from './finding.js';

/**
 * Threads of VMs that have no other CPU to run on than a DPDK CPU, or that may come there: kept to a few CPUs with one
 * of DPDK's among them, or of the domain itself and free to run anywhere while nothing isolates that one (what others'
 * do then is reported by `isolcpus`). Another VM's vCPU is reported with the target. One finding for all that are alike.
 */
export function checkNeighbours(host: Host, target: Target): Finding[] {
  const { cpus, facts } = target;
  if (!facts) return [];
  const isolated = isolatedCpus(host);
  const isOwn = ({ vm }: VmThread) => vm.pid === facts.pid;
  const found = strangersOnDpdk(target).filter((thread) => {
    if (thread.kind === 'vcpu' && (!isOwn(thread) || thread.cpus.length === 1)) return false;
    const isAnywhere = contains(thread.cpus, target.online);
    return !isAnywhere || (isOwn(thread) && !contains(isolated, overlap(thread.cpus, cpus)));
  });
  const alike = new Map<string, VmThread[]>();
  for (const one of found) {
    const key = `${one.vm.pid} ${one.kind} ${one.thread.cpus}`;
    alike.set(key, [...(alike.get(key) ?? []), one]);
  }
  return [...alike.values()].map((threads) => finding(threads, target, libvirtStatus(host)));
}

const shown = 4;

function finding(
  threads: readonly VmThread[],
  target: Target,
  managed: ReadonlyMap<number, LibvirtStatus>,
): Finding {
  const { cpus } = target;
  const [first] = threads as readonly [VmThread];
  const { kind, vm } = first;
  const names = threads.slice(0, shown).map(({ thread }) => `"${thread.name}"`);
  const more = threads.length > shown ? ` and ${threads.length - shown} more` : '';
  const who = `${threads.length > 1 ? 'threads' : 'thread'} ${names.join(', ')}${more} of ${vm.name}`;
  const shared = formatCpus(overlap(first.cpus, cpus));
  const isManaged = managed.has(vm.pid);
  const left = without(first.cpus, cpus);
  const pinned = (to: string) => threads.map((one) => pin(one, to, isManaged)).join(' && ');
  const cure = pinned(formatCpus(left.length > 0 ? left : ordinaryCpus(target)));
  const undo = pinned(formatCpus(first.cpus));
  return contains(cpus, first.cpus)
    ? { ...fail(`${kind}-on-dpdk-cpu`, `${who} may run on CPU ${shared} alone, where DPDK runs`, cure), undo }
    : {
        ...warn(
          `${kind}-on-dpdk-cpu`,
          `${who} (CPUs ${first.thread.cpus}) may come to CPU ${shared}, where DPDK runs: each waits for the other`,
          cure,
        ),
        undo,
      };
}

/** A shell's words that pin a thread: by libvirt, where it has the domain, for it then says so too. */
function pin({ kind, vm, vcpu, thread }: VmThread, to: string, isManaged: boolean): string {
  const name = shellWord(vm.name);
  if (isManaged && kind === 'vcpu') return `virsh vcpupin ${name} ${vcpu} ${to} --live --config`;
  const iothread = /^IO iothread(\d+)$/.exec(thread.name)?.[1];
  if (isManaged && iothread !== undefined)
    return `virsh iothreadpin ${name} ${iothread} ${to} --live --config`;
  return `taskset --pid --cpu-list ${to} ${thread.id}`;
}
