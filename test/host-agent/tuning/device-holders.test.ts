// SPDX-License-Identifier: Apache-2.0
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { resolveTarget } from '../../../host-agent/tuning/target.js';
import { apply, openJournal, planTuning } from '../../../host-agent/tuning/tune.js';
import { group, host, hostdev, lookAt, nic, root, status } from './changed-host.js';

describe('every way in which a VM holds a device', () => {
  const opened = { '/proc/2000/fd/21': '/dev/vfio/devices/vfio3', '/proc/2000/fd/22': '/dev/iommu' };
  const device = `/sys/bus/pci/devices/${nic}/vfio-dev/vfio3/dev`;

  test.each([
    ['by the device’s folder', { links: { ...group, ...opened }, files: { [device]: '511:3' } }],
    [
      'by its class’s link',
      {
        links: {
          ...group,
          ...opened,
          '/sys/class/vfio-dev/vfio3': `../../devices/pci0000:80/0000:80:01.0/${nic}/vfio-dev/vfio3`,
        },
      },
    ],
    [
      'by what the kernel says of the descriptor',
      {
        links: { ...group, '/proc/2000/fd/21': 'anon_inode:[vfio-device]' },
        files: {
          '/proc/2000/fdinfo/21': `pos:\t0\nvfio-device-syspath: /sys/devices/pci0000:80/0000:80:01.0/${nic}`,
        },
      },
    ],
  ] as const)('iommufd: %s', async (_how, change) => {
    const { target, lines } = await lookAt('xeon-rt', change, 'dpdk0');
    expect(target.nics).toEqual([{ address: nic, cpus: [6] }]);
    expect(lines).toContain('vcpu-scheduler dpdk0/vcpu/1 -> fifo:10');
  });

  const other = '0000:81:00.1';
  /** Two functions in the NIC's group. Nothing interrupts yet: the guest's driver has not asked. */
  const twoFunctions = {
    files: {
      [`/sys/bus/pci/devices/${other}/class`]: '0x020000',
      [`/sys/kernel/iommu_groups/40/devices/${other}`]: '',
      [`/sys/bus/pci/devices/${nic}/msi_irqs/45`]: null,
      [`/sys/bus/pci/devices/${nic}/msi_irqs/46`]: null,
    },
    links: {
      [`/sys/bus/pci/devices/${other}/driver`]: '../../../../bus/pci/drivers/vfio-pci',
      [`/sys/bus/pci/devices/${other}/iommu_group`]: '../../../../kernel/iommu_groups/40',
    },
  };

  test('a NIC that is said for a domain and is another VM’s is asked about, and not touched', async () => {
    const second = '0000:82:00.0';
    const change = {
      files: {
        '/proc/3000/cmdline': '/usr/bin/kvm\0-name\0router\0',
        [`/sys/kernel/iommu_groups/41/devices/${second}`]: '',
        [`/sys/bus/pci/devices/${second}/class`]: '0x020000',
        [`/sys/bus/pci/devices/${second}/msi_irqs/50`]: 'msix',
        '/proc/irq/50/smp_affinity_list': '0-7',
        '/sys/kernel/irq/50/actions': `vfio-msix[0](${second})`,
      },
      links: {
        '/proc/3000/fd/9': '/dev/vfio/41',
        [`/sys/bus/pci/devices/${second}/driver`]: '../../../../bus/pci/drivers/vfio-pci',
        [`/sys/bus/pci/devices/${second}/iommu_group`]: '../../../../kernel/iommu_groups/41',
      },
      threads: { '3000': ['kvm', 'other', '0-1'] as const },
    };
    const nics = new Map([[second, [6]]]);
    const { severity, lines } = await lookAt('xeon-rt', change, 'dpdk0', { nics });
    expect(severity('nic-of-another-vm')).toBe('fail');
    expect(lines.filter((line) => /irq-affinity|scheduler|throttling/.test(line))).toEqual([]);
  });

  test('a NIC that was unplugged again is not the guest’s, whatever QEMU was started with', async () => {
    const words = ['/usr/bin/kvm', '-name', 'dpdk0', '-device', `vfio-pci,host=${nic}`];
    const cmdline = { '/proc/2000/cmdline': `${words.join('\0')}\0` };
    expect((await lookAt('xeon-rt', { files: cmdline }, 'dpdk0')).target.nics).toHaveLength(1);
    rmSync(root, { recursive: true });
    const { severity, lines } = await lookAt('xeon-rt', { files: cmdline, links: group }, 'dpdk0');
    expect(severity('no-nic')).toBe('fail');
    expect(lines.filter((line) => /irq-affinity|scheduler|throttling|hardirq/.test(line))).toEqual([]);
  });

  test('libvirt’s own note tells functions of a group apart, hot-plugged ones too', async () => {
    const note = status(2000, 3, 'dpdk0', hostdev('81', '00', '1'));
    const files = { ...twoFunctions.files, '/run/libvirt/qemu/dpdk0.xml': note };
    const { target } = await lookAt('xeon-rt', { ...twoFunctions, files }, 'dpdk0');
    expect(target.nics.map(({ address }) => address)).toEqual([other]);
  });

  test('two functions of a group of which nothing says which is given: asked, and nothing guarded is set', async () => {
    const { target, lines, severity } = await lookAt('xeon-rt', twoFunctions, 'dpdk0');
    expect(severity('nic-unknown')).toBe('fail');
    expect(target.nics).toEqual([]);
    expect(lines.filter((line) => /throttling|scheduler|hardirq/.test(line))).toEqual([]);
  });

  test.each([
    ['an NVMe drive', { [`/sys/bus/pci/devices/${nic}/class`]: '0x010802' }],
    ['an accelerator', { [`/sys/bus/pci/devices/${nic}/class`]: '0x0b4000' }],
  ])('%s is no NIC', async (_what, files) => {
    const { severity, lines } = await lookAt('xeon-rt', { files }, 'dpdk0');
    expect(severity('no-nic')).toBe('fail');
    expect(lines.filter((line) => /rt-throttling|scheduler|hardirq/.test(line))).toEqual([]);
  });

  test('a mediated device is named, and is no NIC', async () => {
    const mdev = '83b8f4f2-509f-382f-3c1e-e6bfe0fa1001';
    const { found } = await lookAt(
      'xeon-rt',
      {
        links: {
          '/proc/2000/fd/20': '/dev/vfio/77',
          [`/sys/bus/mdev/devices/${mdev}/iommu_group`]: '../../../../kernel/iommu_groups/77',
        },
        files: { [`/sys/kernel/iommu_groups/77/devices/${mdev}`]: '' },
      },
      'dpdk0',
    );
    expect(found.find(({ code }) => code === 'no-nic')?.read).toContain(`mediated device ${mdev} is none`);
  });

  test('throttling stays in force where the vCPU could not be put below its thread', async () => {
    const system = host('xeon-rt', {});
    const request = { pins: new Map(), nics: new Map(), cpus: [], maxExitLatency: null };
    const target = await resolveTarget(system.host, {
      ...request,
      domain: await system.domains.find('dpdk0'),
    });
    const differences = planTuning(system, target);
    system.host.setScheduling = () => {};
    const journal = openJournal(system.host, join(root, 'state'));
    const { failed } = await apply(system, journal, differences).finally(() => journal.close());
    expect(failed.map(({ knob, code }) => `${knob} ${code}`)).toEqual([
      'vcpu-scheduler TUNING_NOT_TAKEN',
      'rt-throttling TUNING_UNGUARDED',
    ]);
    expect(system.host.read('/proc/sys/kernel/sched_rt_runtime_us')).toBe('950000');
  });
});
