// SPDX-License-Identifier: Apache-2.0
import { formatCpus, overlap, parseCpus } from '../cpu-set.js';
import type { Knob } from '../knob.js';
import { emulatorCpus } from '../target.js';
import { emulatorPlace, openPlace, ownerOf, sparedThreads } from './domain-place.js';

export const emulatorPin: Knob = {
  name: 'emulator-pin',
  why: "QEMU's own threads would take the DPDK vCPU's CPU away from it",
  source: 'libvirt: docs/formatdomain.rst, emulatorpin',
  severity: 'fail',
  inParts: true,
  settings: (_system, target) => {
    const { facts, cpus } = target;
    const wanted = emulatorCpus(target);
    if (!facts || cpus.length === 0 || wanted.length === 0) return [];
    const now = facts.emulatorCpus;
    const shares = overlap(parseCpus(now), cpus).length > 0;
    return [{ place: emulatorPlace(facts), now, wanted: shares ? formatCpus(wanted) : now }];
  },
  owner: ownerOf,
  read: async (system, place) => (await openPlace(system, place))?.facts.emulatorCpus ?? null,
  write: async (system, place, value) => {
    await (await openPlace(system, place))?.domain.pinEmulator(value, sparedThreads(place));
  },
};
