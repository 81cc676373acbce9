// SPDX-License-Identifier: Apache-2.0
import { deviceInterrupts, readInterrupt, vectorOf } from '../../host/interrupts.js';
import type { Knob } from '../knob.js';
import { vectorCpu } from '../nic-target.js';

/** An interrupt's number is given to another device once it is free: the place names both. */
const placeOf = (address: string, irq: number) => `${address}/irq/${irq}`;

function parsePlace(place: string): { address: string; irq: number } {
  const [address = '', , irq = ''] = place.split('/');
  return { address, irq: Number(irq) };
}

export const irqAffinity: Knob = {
  name: 'irq-affinity',
  why: 'the CPU that takes the interrupt is the one that waits for it: saves an inter-processor interrupt',
  source:
    'the KVM4NFV talk, "Optimizations on a Native OS"; linux: Documentation/core-api/irq/irq-affinity.rst',
  severity: 'fail',
  settings: ({ host }, target) =>
    target.nics.flatMap((nic) =>
      deviceInterrupts(host, nic.address).flatMap(({ irq, action, affinity }, at) => {
        const cpu = vectorCpu(nic, vectorOf(action) ?? at);
        return cpu === null ? [] : [{ place: placeOf(nic.address, irq), now: affinity, wanted: String(cpu) }];
      }),
    ),
  read: async ({ host }, place) => {
    const { address, irq } = parsePlace(place);
    const owned = host.exists(`/sys/bus/pci/devices/${address}/msi_irqs/${irq}`);
    return owned ? (readInterrupt(host, irq)?.affinity ?? null) : null;
  },
  write: async ({ host }, place, value) =>
    host.write(`/proc/irq/${parsePlace(place).irq}/smp_affinity_list`, value),
};
