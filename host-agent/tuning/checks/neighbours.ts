// SPDX-License-Identifier: Apache-2.0
import type { Host } from '../../host/host.js';
import { contains, formatCpus, overlap, parseCpus } from '../cpu-set.js';
import { isolatedCpus } from '../cpus.js';
import type { VmThread } from '../neighbours.js';
import type { Target } from '../target.js';
import { type Finding, fail, warn } from './finding.js';

/**
 * Threads of VMs that have no other CPU to run on than a DPDK CPU, or that may come there: kept to a few CPUs with one
 * of DPDK's among them, or free to run anywhere while nothing isolates that one. Another VM's vCPU is told of with the
 * target.
 */
export function checkNeighbours(host: Host, target: Target): Finding[] {
  const { cpus, facts, neighbours, dpdk } = target;
  if (!facts) return [];
  const isolated = isolatedCpus(host);
  const isDpdk = ({ vm, vcpu }: VmThread) =>
    vm.pid === facts.pid && dpdk.some((placed) => placed.vcpu === vcpu);
  return neighbours
    .filter((thread) => !(thread.kind === 'vcpu' && (thread.vm.pid !== facts.pid || isDpdk(thread))))
    .filter((thread) => !isWithEmulator(thread, target))
    .flatMap((thread) => {
      const shared = overlap(thread.cpus, cpus);
      const isAnywhere = contains(thread.cpus, target.online);
      if (shared.length === 0 || (isAnywhere && contains(isolated, shared))) return [];
      // One that is a vCPU's alone is told of with the target.
      const isBound = contains(cpus, thread.cpus);
      if (isBound && thread.kind === 'vcpu') return [];
      return [finding(thread, formatCpus(shared), isBound)];
    });
}

/** Threads with the CPUs of the main one follow it: the knob emulator-pin, which leaves I/O threads. */
const isWithEmulator = ({ kind, vm, thread, cpus }: VmThread, { facts }: Target) =>
  kind === 'emulator' &&
  vm.pid === facts?.pid &&
  !thread.name.startsWith('IO ') &&
  formatCpus(parseCpus(facts.emulatorCpus)) === formatCpus(cpus);

function finding(thread: VmThread, shared: string, isBound: boolean): Finding {
  const { kind, vm } = thread;
  const who = `thread "${thread.thread.name}" of ${vm.name}`;
  return isBound
    ? fail(`${kind}-on-dpdk-cpu`, `${who} may run on CPU ${shared} alone, where DPDK runs`, cure(thread))
    : warn(
        `${kind}-on-dpdk-cpu`,
        `${who} (CPUs ${thread.thread.cpus}) may come to CPU ${shared}, where DPDK runs: each waits for the other`,
        cure(thread),
      );
}

function cure({ kind, vm, vcpu, thread }: VmThread): string {
  if (kind === 'vcpu') return `Pin it elsewhere: virsh vcpupin ${vm.name} ${vcpu} CPUS --live --config.`;
  const pin = `taskset --pid --cpu-list CPUS ${thread.id}`;
  return kind === 'iothread'
    ? `Pin it elsewhere: virsh iothreadpin ${vm.name} IOTHREAD CPUS --live --config, or ${pin}.`
    : `Pin it elsewhere: ${pin}.`;
}
