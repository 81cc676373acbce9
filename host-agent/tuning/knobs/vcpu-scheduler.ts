// SPDX-License-Identifier: Apache-2.0

import type { Host } from '../../host/host.js';
import { deviceInterrupts, interruptThreads } from '../../host/interrupts.js';
import { formatScheduling, isRealTime, parseScheduling, schedulingRank } from '../../host/scheduling.js';
import type { Thread } from '../../host/thread.js';
import { forcesInterruptThreads } from '../boot.js';
import type { Knob } from '../knob.js';
import { isDecided, type Target } from '../target.js';
import { openPlace, ownerOf, readVcpu, vcpuPlace } from './domain-place.js';

/** Above ksoftirqd, ktimers and rcuc of an RT host (tuned, realtime-virtual-host: 2, 3, 4), below irq threads. */
const usualPriority = 10;

/** The interrupt threads of the target's NICs; a vCPU that spins at or above one's priority starves it for good. */
export function nicThreads(host: Host, target: Target): Thread[] {
  const threads = interruptThreads(host);
  return target.nics
    .flatMap(({ address }) => deviceInterrupts(host, address))
    .map(({ irq }) => threads.get(irq))
    .filter((thread) => thread !== undefined);
}

/** Of an interrupt thread that nobody has changed (linux: kernel/sched/syscalls.c, sched_set_fifo: MAX_RT_PRIO / 2). */
const threadPriority = 50;

/**
 * Below what a vCPU must stand: the lowest rank among its NICs' threads, and that of a new one, for whatever somebody gave
 * a thread is gone when the guest's driver asks for its interrupts again; 100, above any, where there will be no threads.
 * Below 2 there is no place for a real-time vCPU.
 */
export function lowestPriority(host: Host, target: Target): number {
  const threads = nicThreads(host, target);
  if (threads.length === 0 && !forcesInterruptThreads(host)) return 100;
  return Math.min(threadPriority, ...threads.map(({ scheduling }) => schedulingRank(scheduling)));
}

export const vcpuScheduler: Knob = {
  name: 'vcpu-scheduler',
  why: 'FIFO: the woken vCPU preempts other work at once; below the NIC’s interrupt thread, which it would starve',
  source:
    'the KVM4NFV talk, "Run with the highest priority"; linux: kernel/irq/manage.c, irq_thread (FIFO 50); libvirt: vcpusched',
  severity: 'fail',
  settings: ({ host }, target) => {
    const { facts } = target;
    if (!facts || !isDecided(target)) return [];
    const below = lowestPriority(host, target);
    if (below < 2) return [];
    return target.dpdk.flatMap(({ vcpu }) => {
      const seen = facts.vcpus.find((entry) => entry.vcpu === vcpu);
      // A deadline has more to it than can be set back.
      if (!seen || schedulingRank(seen.scheduling) >= 100) return [];
      const fits = isRealTime(seen.scheduling) && seen.scheduling.priority < below;
      const priority = Math.min(usualPriority, below - 1);
      return [
        {
          place: vcpuPlace(facts, seen.vcpu),
          now: formatScheduling(seen.scheduling),
          wanted: formatScheduling(fits ? seen.scheduling : { policy: 'fifo', priority }),
        },
      ];
    });
  },
  owner: ownerOf,
  read: (system, place) => readVcpu(system, place, ({ scheduling }) => formatScheduling(scheduling)),
  write: async (system, place, value) => {
    const opened = await openPlace(system, place);
    await opened?.domain.setVcpuScheduling(opened.vcpu, parseScheduling(value));
  },
};
