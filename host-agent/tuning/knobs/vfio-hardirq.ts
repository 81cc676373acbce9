// SPDX-License-Identifier: Apache-2.0

import type { Host } from '../../host/host.js';
import { kvmFolder, kvmSysfs } from '../../host/qemu-process.js';
import { fileKnob } from '../knob.js';

/** The VM's switch of the non-threaded handler; null where KVM is without the series. */
export function hardirqSwitch(host: Host, pid: number): string | null {
  const folder = kvmFolder(host, pid, kvmSysfs);
  return folder && `${folder}/irqfd_hardirq`;
}

export const vfioHardirq = fileKnob(
  {
    name: 'vfio-hardirq',
    why: "the NIC's interrupt reaches KVM in the hard handler, with no interrupt thread to be scheduled first",
    source: 'the KVM4NFV talk, "Non-threaded ISR"; kernel-patches/docs/switching.md',
    severity: 'warn',
  },
  ({ host }, { facts, nics }) => {
    const file = facts && nics.length > 0 && hardirqSwitch(host, facts.pid);
    return file ? [[file, '1']] : [];
  },
);
