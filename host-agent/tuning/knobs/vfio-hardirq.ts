// SPDX-License-Identifier: Apache-2.0

import { kvmFolder, kvmSysfs } from '../../host/qemu-process.js';
import { fileKnob } from '../knob.js';

export const vfioHardirq = fileKnob(
  {
    name: 'vfio-hardirq',
    why: "the NIC's interrupt reaches KVM in the hard handler, with no interrupt thread to be scheduled first",
    source: 'slides, "Non-threaded ISR"; kernel-patches/README.md, "Switching on and off"',
    severity: 'warn',
  },
  ({ host }, { facts, nics }) => {
    const folder = facts && nics.length > 0 && kvmFolder(host, facts.pid, kvmSysfs);
    return folder ? [[`${folder}/irqfd_hardirq`, '1']] : [];
  },
);
