// SPDX-License-Identifier: Apache-2.0
import { formatCpus, overlap } from '../cpu-set.js';
import type { VmThread } from '../neighbours.js';
import type { Target } from '../target.js';
import { type Finding, fail } from './finding.js';

/** I/O and vhost threads that have no other CPU to run on than a DPDK CPU; another VM's pinned vCPU is told of with the target. */
export function checkNeighbours({ cpus, facts, neighbours }: Target): Finding[] {
  return neighbours
    .filter(({ kind }) => facts !== null && kind !== 'vcpu')
    .filter((thread) => thread.cpus.length > 0 && thread.cpus.every((cpu) => cpus.includes(cpu)))
    .map((thread) =>
      fail(
        `${thread.kind}-on-dpdk-cpu`,
        `thread "${thread.thread.name}" of ${thread.vm.name} may run on CPU ${formatCpus(overlap(thread.cpus, cpus))} alone, where DPDK runs`,
        cure(thread),
      ),
    );
}

const cure = ({ kind, vm, thread }: VmThread) =>
  kind === 'iothread'
    ? `Pin it elsewhere: virsh iothreadpin ${vm.name} IOTHREAD CPUS --live --config, or taskset --pid --cpu-list CPUS ${thread.id}.`
    : `Pin it elsewhere: taskset --pid --cpu-list CPUS ${thread.id}.`;
