// SPDX-License-Identifier: Apache-2.0

import type { Host } from '../../host/host.js';
import { kvmFolder, kvmSysfs } from '../../host/qemu-process.js';
import { forcesInterruptThreads } from '../boot.js';
import type { Target } from '../target.js';
import { type Finding, fail, ok, unsupported, warn } from './finding.js';
import { seriesParameter } from './path.js';

/** KVM, its modules, and VFIO's interrupt handler. */
export function checkVirtualisation(host: Host, { facts }: Target): Finding[] {
  const flags = /^flags\s*:\s*(.*)$/m.exec(host.read('/proc/cpuinfo') ?? '')?.[1]?.split(' ') ?? [];
  const extension = flags.find((flag) => flag === 'vmx' || flag === 'svm');
  const findings = [
    extension
      ? ok('cpu-virtualisation', `the CPU has ${extension}`)
      : unsupported(
          'cpu-virtualisation',
          'the CPU shows neither vmx nor svm in /proc/cpuinfo',
          'Switch it on in the firmware; in a VM, let its host pass it through.',
        ),
    host.exists('/dev/kvm')
      ? ok('kvm', '/dev/kvm is there')
      : unsupported(
          'kvm',
          'there is no /dev/kvm',
          `modprobe ${extension === 'svm' ? 'kvm_amd' : 'kvm_intel'}  # dmesg says why it refuses`,
        ),
  ];
  const hasSeries = host.exists(seriesParameter);
  findings.push(
    hasSeries
      ? ok('vmcall-modules', `KVM has our series (${seriesParameter})`)
      : fail(
          'vmcall-modules',
          `KVM is without our series (no ${seriesParameter})`,
          'apt-get install vmcall-kvm-dkms linux-image-rt-amd64  # then boot the RT kernel',
        ),
  );
  findings.push(handler(host, hasSeries, facts?.pid ?? null));
  return findings;
}

/** The slides' non-threaded ISR: is one there for the NIC's interrupts? */
function handler(host: Host, hasSeries: boolean, pid: number | null): Finding {
  if (!forcesInterruptThreads(host))
    return ok(
      'vfio-handler',
      'interrupt handlers are not forced into threads: VFIO’s runs in hard IRQ context',
    );
  if (!hasSeries)
    return warn(
      'vfio-handler',
      'VFIO’s interrupt handler runs in a thread (PREEMPT_RT or threadirqs), which must be scheduled first',
      'apt-get install vmcall-kvm-dkms  # its handler is not threaded; then boot again',
    );
  const folder = pid === null ? null : kvmFolder(host, pid, kvmSysfs);
  if (pid !== null && folder === null)
    return warn(
      'vfio-handler',
      `KVM has no folder of this VM in ${kvmSysfs}`,
      'Load the six modules of one build together (kernel-patches/docs/building.md), and start the VM again.',
    );
  return ok('vfio-handler', 'a non-threaded VFIO handler is there; switched per VM by irqfd_hardirq');
}
