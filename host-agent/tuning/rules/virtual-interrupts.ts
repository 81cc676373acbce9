// SPDX-License-Identifier: Apache-2.0
import type { Host } from '../../host/host.js';
import { deviceInterrupts } from '../../host/interrupts.js';
import { bootParameters, isOlderThan, isRealTimeKernel } from '../boot.js';
import { type Rule, wellRead } from './rule.js';

const parameter = (host: Host, module: string, name: string) => {
  const value = host.read(`/sys/module/${module}/parameters/${name}`);
  return value === null ? null : value === 'Y' || value === '1';
};

const interruptRemapping = (host: Host) => (bootParameters(host).get('intremap') ?? '').split(',');

export const apicv: Rule = {
  code: 'apicv',
  severity: 'warn',
  why: 'without APIC virtualisation each interrupt of the guest costs it exits (injection, end of interrupt): the injected path is slower than it need be',
  source: 'linux: arch/x86/kvm/vmx/vmx.c (enable_apicv)',
  judge(host) {
    const on = parameter(host, 'kvm_intel', 'enable_apicv');
    if (on === null) return [];
    if (on) return [wellRead('kvm_intel.enable_apicv is on')];
    return [
      {
        read: 'kvm_intel.enable_apicv is off',
        cure: 'modprobe -r kvm_intel && modprobe kvm_intel enable_apicv=1  # with no VM running; look for it in /etc/modprobe.d too',
        undo: 'modprobe -r kvm_intel && modprobe kvm_intel enable_apicv=0  # with no VM running',
      },
    ];
  },
};

/** Bit 59 of a unit's capabilities (VT-d specification, Capability Register, PI). */
const postingBit = 59n;

function unitsPost(host: Host): boolean | null {
  const capabilities = host
    .names('/sys/class/iommu')
    .map((unit) => host.read(`/sys/class/iommu/${unit}/intel-iommu/cap`))
    .filter((text) => text !== null && /^[0-9a-f]+$/i.test(text));
  if (capabilities.length === 0) return null;
  return capabilities.every((text) => (BigInt(`0x${text}`) >> postingBit) & 1n);
}

/** Not good or bad by itself: it says what "injected" is on this host. */
export const postedInterrupts: Rule = {
  code: 'posted-interrupts',
  severity: 'warn',
  why: 'where VT-d posts a NIC’s interrupts, the injected path reaches a running vCPU with no handler of the host; a doorbell (delivery mode 3) is never posted and comes to VFIO’s handler',
  source: 'linux: arch/x86/kvm/vmx/posted_intr.c; kernel-patches/docs/vmx.md',
  judge(host) {
    const post = unitsPost(host);
    if (post === null) return [];
    if (!post || parameter(host, 'kvm_intel', 'enable_apicv') === false)
      return [wellRead('VT-d does not post interrupts here: injected ones come by VFIO’s handler')];
    if (interruptRemapping(host).includes('nopost'))
      return [
        {
          read: 'VT-d could post interrupts, and booting with intremap=nopost keeps it from that',
          cure: 'Boot without intremap=nopost, if the injected path is to be at its best.',
          undo: 'Boot with intremap=nopost.',
        },
      ];
    return [wellRead('VT-d posts interrupts: on the injected path VFIO’s handler does not run')];
  },
};

export const postedMsi: Rule = {
  code: 'posted-msi',
  severity: 'warn',
  why: 'with posted MSIs the host’s interrupts come in batches through one vector, and a NIC’s handler waits for those before it',
  source:
    'linux: arch/x86/kernel/irq.c (sysvec_posted_msi_notification), Documentation/admin-guide/kernel-parameters.txt (intremap=posted_msi)',
  judge(host, { nics }) {
    const given = interruptRemapping(host).includes('posted_msi');
    const posted = nics.flatMap(({ address }) =>
      deviceInterrupts(host, address)
        .filter(({ irq }) => /IR-POST/.test(host.read(`/sys/kernel/irq/${irq}/chip_name`) ?? ''))
        .map(({ irq }) => irq),
    );
    if (!given && posted.length === 0) return [];
    return [
      {
        read: given
          ? 'booted with intremap=posted_msi'
          : `interrupts ${posted.join(', ')} of the NIC are posted MSIs of the host`,
        cure: 'Boot without intremap=posted_msi.',
        undo: 'Boot with intremap=posted_msi.',
      },
    ];
  },
};

export const avicOnRt: Rule = {
  code: 'avic-rt',
  severity: 'fail',
  why: 'AVIC takes a spinlock (ir_list_lock) while the scheduler switches tasks; on PREEMPT_RT that lock sleeps: "scheduling while atomic", or a hang. A raw lock came in a patch of October 2025',
  source:
    'linux: arch/x86/kvm/svm/avic.c, "KVM: SVM: switch to raw spinlock for svm->ir_list_lock" (lore: 20251030194130.307900-1-mlevitsk@redhat.com)',
  judge(host) {
    const on = parameter(host, 'kvm_amd', 'avic');
    if (on === null || !isRealTimeKernel(host)) return [];
    if (!on || !isOlderThan(host, 6, 18)) return [wellRead(`kvm_amd.avic is ${on ? 'on' : 'off'}`)];
    return [
      {
        read: 'kvm_amd.avic is on, and this is an RT kernel older than 6.18',
        cure: 'modprobe -r kvm_amd && modprobe kvm_amd avic=0  # with no VM running; to keep it, in /etc/modprobe.d/kvm.conf: options kvm_amd avic=0',
        undo: 'modprobe -r kvm_amd && modprobe kvm_amd avic=1  # with no VM running',
      },
    ];
  },
};
