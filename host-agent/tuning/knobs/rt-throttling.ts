// SPDX-License-Identifier: Apache-2.0
import { fileKnob } from '../knob.js';

/** Since 6.12 the fair server keeps a CPU's time for ordinary threads, whatever the limit above says. */
const fairServer = (cpu: number) => `/sys/kernel/debug/sched/fair_server/cpu${cpu}/runtime`;

export const rtThrottling = fileKnob(
  {
    name: 'rt-throttling',
    why: 'a real-time vCPU that polls is stopped for 50 ms of each second; off, nothing but its own sleep frees the CPU',
    source:
      'linux: Documentation/scheduler/sched-rt-group.rst, kernel/sched/debug.c (fair_server); tuned: profiles/realtime',
    severity: 'warn',
  },
  (_bench, { facts, cpus }) =>
    facts
      ? [
          // Restored in the other order: with the fair server off on an isolated CPU the kernel may refuse (EBUSY) the limit.
          ['/proc/sys/kernel/sched_rt_runtime_us', '-1'],
          ...cpus.map((cpu): [string, string] => [fairServer(cpu), '0']),
        ]
      : [],
);
