// SPDX-License-Identifier: Apache-2.0
import { cpuDmaLatency, noLimit } from '../cpu-dma-latency.js';
import { hardwareStates, resumeLatencyFile, resumeLatencyLimit, resumeLatencyValue } from '../cpuidle.js';
import { fileKnob } from '../knob.js';

/** PM QoS of each DPDK CPU: the others may still sleep deeply, which /dev/cpu_dma_latency would forbid. */
export const resumeLatency = fileKnob(
  {
    name: 'resume-latency',
    why: 'a CPU in a deep C-state takes that long to wake (the KVM4NFV talk: C6 133 us, its packets 87.7 us instead of 14.9)',
    source:
      'the KVM4NFV talk, "CPU Idle Optimization"; linux: Documentation/admin-guide/pm/cpuidle.rst, "PM QoS for CPUs"',
    severity: 'fail',
  },
  ({ host }, target, now) =>
    target.cpus.flatMap((cpu) => {
      const states = hardwareStates(host, cpu);
      const shallowest = states[0];
      if (!shallowest) return [];
      const limit = target.maxExitLatency ?? Math.max(1, shallowest.exitLatency);
      // What is disabled, or forbidden by who holds the host-wide limit, is not entered.
      const held = cpuDmaLatency(host) ?? noLimit;
      if (!states.some((state) => !state.disabled && state.exitLatency > limit) || held <= limit) return [];
      const file = resumeLatencyFile(cpu);
      const value = now(file);
      const tighter = value !== null && resumeLatencyLimit(value) <= limit;
      return [[file, tighter ? value : resumeLatencyValue(limit)]];
    }),
);
