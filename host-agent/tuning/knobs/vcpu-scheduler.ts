// SPDX-License-Identifier: Apache-2.0
import type { Host } from '../../host/host.js';
import { formatScheduling, parseScheduling, type Scheduling, type Thread } from '../../host/scheduling.js';
import { deviceInterrupts, interruptThreads } from '../interrupts.js';
import type { Knob } from '../knob.js';
import type { Target } from '../target.js';
import { openPlace, readVcpu, vcpuPlace } from './domain-place.js';

/** Above ksoftirqd, ktimers and rcuc of an RT host (tuned, realtime-virtual-host: 2, 3, 4), below irq threads. */
const usualPriority = 10;

export const isRealTime = ({ policy }: Scheduling) => policy === 'fifo' || policy === 'rr';

/** The interrupt threads of the target's NICs; a vCPU that spins at or above one's priority starves it for good. */
export function nicThreads(host: Host, target: Target): Thread[] {
  const threads = interruptThreads(host);
  return target.nics
    .flatMap(({ address }) => deviceInterrupts(host, address))
    .map(({ irq }) => threads.get(irq))
    .filter((thread) => thread !== undefined);
}

/** The lowest priority among real-time threads; 100, above any, where there is none. */
export function lowestPriority(threads: readonly Thread[]): number {
  const realTime = threads.filter((thread) => isRealTime(thread.scheduling));
  return Math.min(100, ...realTime.map(({ scheduling }) => scheduling.priority));
}

export const vcpuScheduler: Knob = {
  name: 'vcpu-scheduler',
  why: 'FIFO: the woken vCPU preempts other work at once; below the NIC’s interrupt thread, which it would starve',
  source:
    'slides, "Run with the highest priority"; linux: kernel/irq/manage.c, irq_thread (FIFO 50); libvirt: vcpusched',
  severity: 'fail',
  settings: ({ host }, target) => {
    const { facts } = target;
    if (!facts) return [];
    const below = lowestPriority(nicThreads(host, target));
    return target.dpdk.flatMap(({ vcpu }) => {
      const seen = facts.vcpus.find((entry) => entry.vcpu === vcpu);
      if (!seen) return [];
      const fits = isRealTime(seen.scheduling) && seen.scheduling.priority < below;
      const priority = Math.max(1, Math.min(usualPriority, below - 1));
      return [
        {
          place: vcpuPlace(facts, seen.vcpu),
          now: formatScheduling(seen.scheduling),
          wanted: formatScheduling(fits ? seen.scheduling : { policy: 'fifo', priority }),
        },
      ];
    });
  },
  read: (bench, place) => readVcpu(bench, place, ({ scheduling }) => formatScheduling(scheduling)),
  write: async (bench, place, value) => {
    const opened = await openPlace(bench, place);
    await opened?.domain.setVcpuScheduling(opened.vcpu, parseScheduling(value));
  },
};
