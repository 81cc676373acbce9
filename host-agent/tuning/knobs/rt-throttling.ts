// SPDX-License-Identifier: Apache-2.0

import { schedulingRank } from '../../host/scheduling.js';
import { fairServerFile, isFairServer, setFairServer } from '../fair-server.js';
import { fileKnob, type HostSystem, type Knob } from '../knob.js';
import { lockedOnDpdk, othersThatRelyOnThrottling } from '../starvation.js';
import { isDecided, type Target } from '../target.js';
import { lowestPriority } from './vcpu-scheduler.js';

const files = fileKnob(
  {
    name: 'rt-throttling',
    why: 'a real-time vCPU that polls is stopped for 50 ms of each second; off, nothing but its own sleep frees the CPU',
    source:
      'linux: Documentation/scheduler/sched-rt-group.rst, kernel/sched/debug.c (fair_server); tuned: profiles/realtime',
    severity: 'warn',
  },
  (system, target) =>
    target.facts &&
    isDecided(target) &&
    nobodyStarves(system, target) &&
    lockedOnDpdk(target).length === 0 &&
    othersThatRelyOnThrottling(system.host, target).length === 0
      ? [
          // Restored in the other order: with the fair server off on an isolated CPU the kernel may refuse (EBUSY) the limit.
          ['/proc/sys/kernel/sched_rt_runtime_us', '-1'],
          ...target.cpus.map((cpu): [string, string] => [fairServerFile(cpu), '0']),
        ]
      : [],
);

/** None of the domain's vCPUs keeps its NICs' threads from running, once vcpu-scheduler has put those below that it can. */
function nobodyStarves({ host }: HostSystem, target: Target): boolean {
  const below = lowestPriority(host, target);
  if (below < 2) return false;
  const isPutBelow = (vcpu: number, rank: number) =>
    rank < 100 && target.dpdk.some((placed) => placed.vcpu === vcpu);
  return (target.facts?.vcpus ?? []).every(({ vcpu, scheduling }) => {
    const rank = schedulingRank(scheduling);
    return rank < below || isPutBelow(vcpu, rank);
  });
}

export const rtThrottling: Knob = {
  ...files,
  guardedBy: ['emulator-pin', 'vcpu-pin', 'irq-affinity', 'vcpu-scheduler'],
  write: async (system, place, value) =>
    isFairServer(place) ? setFairServer(system.host, place, value) : files.write(system, place, value),
};
