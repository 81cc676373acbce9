// SPDX-License-Identifier: Apache-2.0
import type { Host } from './host.js';
import { readThread, type Thread } from './thread.js';

export interface Interrupt {
  irq: number;
  /** The action's name, such as `vfio-msix[0](0000:81:00.0)` (linux: drivers/vfio/pci/vfio_pci_intrs.c). */
  action: string;
  /** CPUs it may go to. */
  affinity: string;
  /** CPUs it does go to. */
  effective: string;
}

/** An interrupt out of procfs and sysfs (linux: Documentation/core-api/irq/irq-affinity.rst); null where it is gone. */
export function readInterrupt(host: Host, irq: number): Interrupt | null {
  const affinity = host.read(`/proc/irq/${irq}/smp_affinity_list`);
  if (affinity === null) return null;
  return {
    irq,
    action: host.read(`/sys/kernel/irq/${irq}/actions`) ?? '',
    affinity,
    effective: host.read(`/proc/irq/${irq}/effective_affinity_list`) ?? affinity,
  };
}

/** A PCI function's MSIs that have a handler (linux: Documentation/ABI/testing/sysfs-bus-pci, msi_irqs). */
export function deviceInterrupts(host: Host, address: string): Interrupt[] {
  return host
    .names(`/sys/bus/pci/devices/${address}/msi_irqs`)
    .map((irq) => readInterrupt(host, Number(irq)))
    .filter((interrupt) => interrupt !== null)
    .filter(({ action }) => action !== '');
}

/** The MSI-X vector that a VFIO user's interrupt is; null for other handlers, whose names are their drivers'. */
export function vectorOf(action: string): number | null {
  const vector = /^vfio-msix?\[(\d+)\]/.exec(action)?.[1];
  return vector === undefined ? null : Number(vector);
}

/** The kernel threads that run interrupt handlers, by interrupt (linux: kernel/irq/manage.c, `irq/%d-%s`). */
export function interruptThreads(host: Host): Map<number, Thread> {
  const threads = new Map<number, Thread>();
  for (const entry of host.names('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    const irq = /^irq\/(\d+)-(?!s-)/.exec(host.read(`/proc/${entry}/comm`) ?? '')?.[1];
    const thread = irq === undefined ? null : readThread(host, `/proc/${entry}`);
    if (thread) threads.set(Number(irq), thread);
  }
  return threads;
}
