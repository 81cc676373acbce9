// SPDX-License-Identifier: Apache-2.0
import type { Host } from '../../host/host.js';
import { contains, formatCpus, overlap, parseCpus } from '../cpu-set.js';
import { isolatedCpus } from '../cpus.js';
import type { VmThread } from '../neighbours.js';
import type { Target } from '../target.js';
import { type Finding, fail, warn } from './finding.js';

/**
 * Threads of VMs that have no other CPU to run on than a DPDK CPU, or that may come there: kept to a few CPUs with one
 * of DPDK's among them, or of the domain itself and free to run anywhere while nothing isolates that one (what others'
 * do then is reported by `isolcpus`). Another VM's vCPU is reported with the target. One finding for all that are alike.
 */
export function checkNeighbours(host: Host, target: Target): Finding[] {
  const { cpus, facts, dpdk } = target;
  if (!facts) return [];
  const isolated = isolatedCpus(host);
  const isOwn = ({ vm }: VmThread) => vm.pid === facts.pid;
  const isDpdk = (thread: VmThread) => isOwn(thread) && dpdk.some(({ vcpu }) => vcpu === thread.vcpu);
  const found = target.neighbours
    .filter(
      (thread) => overlap(thread.cpus, cpus).length > 0 && !isDpdk(thread) && !isWithEmulator(thread, target),
    )
    .filter((thread) => {
      if (thread.kind === 'vcpu' && (!isOwn(thread) || thread.cpus.length === 1)) return false;
      const isAnywhere = contains(thread.cpus, target.online);
      return !isAnywhere || (isOwn(thread) && !contains(isolated, overlap(thread.cpus, cpus)));
    });
  const alike = new Map<string, VmThread[]>();
  for (const one of found) {
    const key = `${one.vm.pid} ${one.kind} ${one.thread.cpus}`;
    alike.set(key, [...(alike.get(key) ?? []), one]);
  }
  return [...alike.values()].map((threads) => finding(threads, cpus));
}

/** Threads with the CPUs of the main one follow it: the knob emulator-pin, which leaves I/O threads. */
const isWithEmulator = ({ kind, vm, thread, cpus }: VmThread, { facts }: Target) =>
  kind === 'emulator' &&
  vm.pid === facts?.pid &&
  !thread.name.startsWith('IO ') &&
  formatCpus(parseCpus(facts.emulatorCpus)) === formatCpus(cpus);

const shown = 4;

function finding(threads: readonly VmThread[], cpus: readonly number[]): Finding {
  const [first] = threads as readonly [VmThread];
  const { kind, vm } = first;
  const names = threads.slice(0, shown).map(({ thread }) => `"${thread.name}"`);
  const more = threads.length > shown ? ` and ${threads.length - shown} more` : '';
  const who = `${threads.length > 1 ? 'threads' : 'thread'} ${names.join(', ')}${more} of ${vm.name}`;
  const shared = formatCpus(overlap(first.cpus, cpus));
  return contains(cpus, first.cpus)
    ? fail(`${kind}-on-dpdk-cpu`, `${who} may run on CPU ${shared} alone, where DPDK runs`, cure(first))
    : warn(
        `${kind}-on-dpdk-cpu`,
        `${who} (CPUs ${first.thread.cpus}) may come to CPU ${shared}, where DPDK runs: each waits for the other`,
        cure(first),
      );
}

function cure({ kind, vm, vcpu, thread }: VmThread): string {
  if (kind === 'vcpu') return `Pin it elsewhere: virsh vcpupin ${vm.name} ${vcpu} CPUS --live --config.`;
  const pin = `taskset --pid --cpu-list CPUS ${thread.id}`;
  return kind === 'iothread'
    ? `Pin it elsewhere: virsh iothreadpin ${vm.name} IOTHREAD CPUS --live --config, or ${pin}.`
    : `Pin it elsewhere: ${pin}.`;
}
