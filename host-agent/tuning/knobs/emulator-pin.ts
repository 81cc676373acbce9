// SPDX-License-Identifier: Apache-2.0
import { formatCpus, parseCpus } from '../cpu-set.js';
import type { Knob } from '../knob.js';
import { emulatorPlace, openPlace } from './domain-place.js';

export const emulatorPin: Knob = {
  name: 'emulator-pin',
  why: "QEMU's own threads would take the DPDK vCPU's CPU away from it",
  source: 'libvirt: docs/formatdomain.rst, emulatorpin',
  severity: 'fail',
  inParts: true,
  settings: (_bench, { facts, cpus, housekeeping }) => {
    if (!facts || cpus.length === 0 || housekeeping.length === 0) return [];
    const now = facts.emulatorCpus;
    const shares = parseCpus(now).some((cpu) => cpus.includes(cpu));
    return [{ place: emulatorPlace(facts), now, wanted: shares ? formatCpus(housekeeping) : now }];
  },
  read: async (bench, place) => (await openPlace(bench, place))?.facts.emulatorCpus ?? null,
  write: async (bench, place, value) => {
    await (await openPlace(bench, place))?.domain.pinEmulator(value);
  },
};
