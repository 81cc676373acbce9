// SPDX-License-Identifier: Apache-2.0
import type { Knob } from '../knob.js';
import { openPlace, ownerOf, readVcpu, vcpuPlace } from './domain-place.js';

/** Pins what --pin names and is not pinned yet; a pinned thread is never moved. */
export const vcpuPin: Knob = {
  name: 'vcpu-pin',
  why: 'a vCPU on a CPU of its own is never migrated, and its interrupts can be taken on that CPU',
  source: 'the KVM4NFV talk, "vCPUs bound to isolated pCPUs"; libvirt: docs/formatdomain.rst, vcpupin',
  severity: 'fail',
  settings: (_system, { facts, dpdk }) =>
    dpdk.flatMap(({ vcpu, cpu }) => {
      const seen = facts?.vcpus.find((entry) => entry.vcpu === vcpu);
      return facts && seen
        ? [{ place: vcpuPlace(facts, seen.vcpu), now: seen.cpus, wanted: String(cpu) }]
        : [];
    }),
  owner: ownerOf,
  read: (system, place) => readVcpu(system, place, ({ cpus }) => cpus),
  write: async (system, place, value) => {
    const opened = await openPlace(system, place);
    await opened?.domain.pinVcpu(opened.vcpu, value);
  },
};
