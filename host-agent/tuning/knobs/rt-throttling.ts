// SPDX-License-Identifier: Apache-2.0
import { fileKnob } from '../knob.js';

export const rtThrottling = fileKnob(
  {
    name: 'rt-throttling',
    why: 'a real-time vCPU that polls is stopped for 50 ms of each second; off, nothing but its own sleep frees the CPU',
    source: 'linux: Documentation/scheduler/sched-rt-group.rst; tuned: profiles/realtime',
    severity: 'warn',
  },
  (_bench, { facts }) => (facts ? [['/proc/sys/kernel/sched_rt_runtime_us', '-1']] : []),
);
