// SPDX-License-Identifier: Apache-2.0
import type { ProgramPlace } from './table-events.js';

/** A knob of the before/after table, as a reader knows it. */
export interface KnobText {
  name: string;
  untuned: string;
  tuned: string;
  places: readonly ProgramPlace[];
}

/**
 * What the lab can turn while a host runs, in the order in which "one at a time" adds them: the slides' order. The
 * names are those of `vmcall tune` where it has such a knob.
 */
export const labKnobs = [
  {
    name: 'interrupt-throttling',
    untuned: 'EITR 500 us, as in the KVM4NFV talk',
    tuned: 'EITR 0',
    places: ['host', 'vm'],
  },
  {
    name: 'irq-affinity',
    untuned: "the NIC's interrupts on CPU 0",
    tuned: 'on the DPDK CPU',
    places: ['host', 'vm'],
  },
  { name: 'program-scheduler', untuned: 'SCHED_OTHER', tuned: 'FIFO 10', places: ['host'] },
  { name: 'vcpu-scheduler', untuned: 'SCHED_OTHER', tuned: 'FIFO 10', places: ['vm'] },
  {
    name: 'rt-throttling',
    untuned: '50 ms of each second kept for others',
    tuned: 'off',
    places: ['host', 'vm'],
  },
  { name: 'halt-poll', untuned: 'kvm.halt_poll_ns 200000', tuned: '0', places: ['vm'] },
  { name: 'vfio-hardirq', untuned: 'threaded VFIO handler', tuned: 'non-threaded', places: ['vm'] },
  { name: 'vm-call', untuned: 'injected interrupts', tuned: 'VM call', places: ['vm'] },
] as const satisfies readonly KnobText[];
export type LabKnobName = (typeof labKnobs)[number]['name'];

/** What `vmcall tune` and the slides have and the lab cannot show, and why. */
export const knobsNotShown: readonly { name: string; why: string }[] = [
  {
    name: 'vcpu-pin, emulator-pin',
    why: "the emulated host has two CPUs, and one is the sender's: an unpinned vCPU would show the sender's load",
  },
  {
    name: 'vfio-hardirq on the host',
    why: "the series' non-threaded handler hands over to KVM; a program on the host is woken by the threaded one",
  },
  { name: 'RT kernel, isolcpus, nohz_full, rcu_nocbs', why: 'of the boot: in force in every row' },
];

/** The knobs of one place, in the order of adding. */
export function knobsAt(place: ProgramPlace): LabKnobName[] {
  return labKnobs
    .filter(({ places }) => (places as readonly ProgramPlace[]).includes(place))
    .map(({ name }) => name);
}

/** Every set of knobs that the table of one place needs, each once: none, one more at a time, all, all but one. */
export function knobSets(place: ProgramPlace): LabKnobName[][] {
  const all = knobsAt(place);
  const adding = [...all.keys(), all.length].map((count) => all.slice(0, count));
  const removing = all.map((left) => all.filter((name) => name !== left));
  const sets = new Map([...adding, ...removing].map((set) => [set.join(' '), set]));
  return [...sets.values()];
}
