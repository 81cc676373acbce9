// SPDX-License-Identifier: Apache-2.0
import { fileKnob } from '../knob.js';

export const haltPoll = fileKnob(
  {
    name: 'halt-poll',
    why: 'KVM would poll before it lets a waiting vCPU sleep: the CPU is not handed back',
    source: 'linux: Documentation/virt/kvm/halt-polling.rst; kernel-patches/docs/traps.md, "Halt polling"',
    severity: 'warn',
  },
  (_system, { facts, dpdk, nics }) =>
    facts && (dpdk.length === 0 || nics.length === 0)
      ? []
      : [['/sys/module/kvm/parameters/halt_poll_ns', '0']],
);
