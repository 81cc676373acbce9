// SPDX-License-Identifier: Apache-2.0
import type { Host } from '../host/host.js';
import { deviceInterrupts, interruptThreads } from '../host/interrupts.js';
import { devices } from '../host/qemu-process.js';
import { schedulingRank } from '../host/scheduling.js';
import type { Thread } from '../host/thread.js';
import { contains, overlap, parseCpus } from './cpu-set.js';
import type { VmThread } from './neighbours.js';
import { isNic } from './nic-target.js';
import type { Target } from './target.js';

/** Threads of VMs that may run on a DPDK CPU, beside the DPDK vCPUs and what emulator-pin takes away from there. */
export function strangersOnDpdk(target: Target): VmThread[] {
  const { cpus, facts, dpdk } = target;
  const isDpdk = ({ vm, vcpu }: VmThread) =>
    vm.pid === facts?.pid && dpdk.some((placed) => placed.vcpu === vcpu);
  return target.neighbours.filter(
    (thread) => overlap(thread.cpus, cpus).length > 0 && !isDpdk(thread) && !isWithEmulator(thread, target),
  );
}

/** What the knob emulator-pin moves, if it has to: not I/O threads, nor those with CPUs of their own. */
const isWithEmulator = ({ vcpu, vm, thread, isTask }: VmThread, { facts, cpus }: Target) =>
  isTask &&
  vcpu === null &&
  vm.pid === facts?.pid &&
  overlap(parseCpus(facts.emulatorCpus), cpus).length > 0 &&
  !thread.name.startsWith('IO ') &&
  !facts.ownCpus.includes(thread.id);

/** Threads that could run nowhere else: a real-time vCPU that polls, and that nothing bounds, ends them for good. */
export const lockedOnDpdk = (target: Target): VmThread[] =>
  strangersOnDpdk(target).filter(({ cpus }) => contains(target.cpus, cpus));

/** A vCPU of another VM that stands at or above the thread of its own NIC's interrupt. */
export interface Inversion {
  vcpu: VmThread;
  thread: Thread;
}

/**
 * The limit on real-time tasks is the whole host's: on another VM that nobody tuned it may be all that lets the thread of
 * a NIC's interrupt run.
 */
export function othersThatRelyOnThrottling(host: Host, { facts, neighbours }: Target): Inversion[] {
  const threads = interruptThreads(host);
  // Which devices a VM has takes reading all its descriptors: of few VMs, where any, that is asked.
  const ofVfio = [...threads.values()].filter(({ name }) => name.includes('vfio-'));
  const least = Math.min(...ofVfio.map(({ scheduling }) => schedulingRank(scheduling)));
  const vcpus = neighbours.filter(
    ({ kind, vm, thread }) =>
      kind === 'vcpu' &&
      vm.pid !== facts?.pid &&
      schedulingRank(thread.scheduling) > 0 &&
      schedulingRank(thread.scheduling) >= least,
  );
  const nicThreads = new Map<number, Thread[]>();
  const threadsOf = (pid: number) => {
    const known = nicThreads.get(pid);
    if (known) return known;
    const { hostdevs, doubtful } = devices(host, pid);
    const found = [...hostdevs, ...doubtful]
      .filter((address) => isNic(host, address))
      .flatMap((address) => deviceInterrupts(host, address))
      .flatMap(({ irq }) => threads.get(irq) ?? []);
    nicThreads.set(pid, found);
    return found;
  };
  return vcpus.flatMap((vcpu) =>
    threadsOf(vcpu.vm.pid)
      .filter(({ scheduling }) => schedulingRank(scheduling) <= schedulingRank(vcpu.thread.scheduling))
      .slice(0, 1)
      .map((thread) => ({ vcpu, thread })),
  );
}
