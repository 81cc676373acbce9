// SPDX-License-Identifier: Apache-2.0
import { irq, type RuleCase, rt } from './trees.js';

export const interruptsCases: RuleCase[] = [
  [
    'apicv',
    'warn',
    { files: { '/sys/module/kvm_intel/parameters/enable_apicv': 'N' } },
    { files: { '/sys/module/kvm_intel/parameters/enable_apicv': 'Y' } },
    /enable_apicv=1/,
  ],
  [
    'posted-interrupts',
    'warn',
    {
      files: {
        '/sys/class/iommu/dmar0/intel-iommu/cap': 'c9de008cee690462',
        '/proc/cmdline': 'intremap=nopost',
      },
    },
    { files: { '/sys/class/iommu/dmar0/intel-iommu/cap': 'c9de008cee690462' } },
    /without intremap=nopost/,
  ],
  [
    'posted-msi',
    'warn',
    { files: { '/proc/cmdline': 'intel_iommu=on intremap=on,posted_msi' } },
    { files: { '/proc/cmdline': 'intremap=on' } },
    /without/,
  ],
  [
    'posted-msi',
    'warn',
    { files: { ...irq, '/sys/kernel/irq/45/chip_name': 'INTEL-IR-POST' } },
    { files: { ...irq, '/sys/kernel/irq/45/chip_name': 'IR-PCI-MSIX-0000:81:00.0' } },
    /without/,
  ],
  [
    'avic-rt',
    'fail',
    { files: { '/sys/module/kvm_amd/parameters/avic': 'Y', '/proc/version': rt } },
    { files: { '/sys/module/kvm_amd/parameters/avic': 'N', '/proc/version': rt } },
    /avic=0/,
  ],
  [
    'avic-rt',
    'fail',
    { files: { '/sys/module/kvm_amd/parameters/avic': '1', '/proc/version': rt } },
    {
      files: {
        '/sys/module/kvm_amd/parameters/avic': 'Y',
        '/proc/version': 'Linux version 6.18.2-rt-amd64 (x) #1 SMP PREEMPT_RT',
      },
    },
    /avic=0/,
  ],
  [
    'software-moderation',
    'fail',
    {
      files: {
        ...irq,
        '/proc/irq/soft_moderation': 'enabled              yes\ndelay_us             100',
        '/proc/irq/45/soft_moderation': 'on irq 45 trigger 0x1 Edge',
      },
    },
    {
      files: {
        ...irq,
        '/proc/irq/soft_moderation': 'enabled              yes\ndelay_us             100',
        '/proc/irq/45/soft_moderation': 'off irq 45 trigger 0x1 Edge',
      },
    },
    /echo off/,
  ],
  [
    'software-moderation',
    'fail',
    {
      files: {
        '/proc/irq/soft_moderation':
          "delay_us             100\nenable_list          'nvme_irq(),vfio_msihandler()'",
      },
    },
    { files: { '/proc/irq/soft_moderation': "delay_us             0\nenable_list          'vfio*'" } },
    /enable_list/,
  ],
];
