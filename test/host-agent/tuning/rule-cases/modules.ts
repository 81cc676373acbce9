// SPDX-License-Identifier: Apache-2.0
import type { Tree } from '../memory-host.js';
import { dpkg, index, kernel, type RuleCase, series } from './trees.js';

export const modulesCases: RuleCase[] = [
  ...['kvm', 'vfio_pci'].map((name): [string, 'fail', Tree, Tree, RegExp] => {
    const tree = (loaded: string) => ({
      files: {
        '/proc/sys/kernel/osrelease': kernel,
        [`/lib/modules/${kernel}/modules.dep`]: index('updates/dkms'),
        [`/lib/modules/${kernel}/updates/dkms/${name.replace('_', '-')}.ko.xz`]: 'ELF GNU-0123 text',
        [`/sys/module/${name}/notes/.note.gnu.build-id`]: loaded,
      },
    });
    return ['kvm-loaded', 'fail', tree('GNU-4567'), tree('GNU-0123'), /reboot/];
  }),
  [
    'next-kernel',
    'warn',
    {
      links: { '/vmlinuz': `boot/vmlinuz-${kernel}` },
      files: { ...series, [`/lib/modules/${kernel}/modules.dep`]: index('kernel/virt') },
    },
    {
      links: { '/vmlinuz': `boot/vmlinuz-${kernel}` },
      files: { ...series, [`/lib/modules/${kernel}/modules.dep`]: index('updates/dkms') },
    },
    /dkms autoinstall -k 6\.12\.117\+deb12-rt-amd64/,
  ],
  [
    'kvm-source',
    'warn',
    {
      files: {
        '/proc/sys/kernel/osrelease': kernel,
        [`/var/lib/vmcall-kvm/${kernel}`]: '6.12.117-1~deb12u1',
        '/var/lib/dpkg/status': dpkg('6.12.117-2~deb12u1'),
      },
    },
    {
      files: {
        '/proc/sys/kernel/osrelease': kernel,
        [`/var/lib/vmcall-kvm/${kernel}`]: '6.12.117-2~deb12u1',
        '/var/lib/dpkg/status': dpkg('6.12.117-2~deb12u1'),
      },
    },
    /linux-source-6\.12=6\.12\.117-2~deb12u1/,
  ],
  [
    'livepatch',
    'fail',
    { files: { '/sys/kernel/livepatch/cve_2026_1/kvm/patched': '1' } },
    { files: { '/sys/kernel/livepatch/cve_2026_2/ext4/patched': '1' } },
    /echo 0 > \/sys\/kernel\/livepatch\/cve_2026_1\/enabled/,
  ],
  [
    'module-signature',
    'warn',
    { files: { ...series, '/sys/module/kvm/taint': 'OE' } },
    { files: { ...series, '/sys/module/kvm/taint': 'O' } },
    /mokutil --import/,
  ],
  [
    'lockdown',
    'warn',
    { files: { '/sys/kernel/security/lockdown': 'none integrity [confidentiality]' } },
    { files: { '/sys/kernel/security/lockdown': 'none [integrity] confidentiality' } },
    /lockdown=integrity/,
  ],
  [
    'versions',
    'warn',
    { versions: { 'qemu-system-x86_64': '6.2.0' } },
    { versions: { 'qemu-system-x86_64': '7.2.22', virtqemud: '11.3.0' } },
    /--only-upgrade/,
  ],
  [
    'versions',
    'warn',
    { links: { '/proc/2000/exe': '/usr/bin/qemu-system-x86_64 (deleted)' } },
    {
      links: { '/proc/2000/exe': '/usr/bin/qemu-system-x86_64' },
      versions: { '/usr/bin/qemu-system-x86_64': '10.0.3' },
    },
    /virsh start dpdk0/,
  ],
];
