// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from 'vitest';
import { lookAt, nic } from './changed-host.js';
import type { Change } from './recorded-host.js';

describe('who starves whom', () => {
  const guarded = (lines: readonly string[]) =>
    lines.filter((line) => /rt-throttling|vcpu-scheduler/.test(line));

  test.each<[string, NonNullable<Change['threads']>]>([
    ['a thread at priority 1', { '902': ['irq/46-vfio-msix[1](0000:81:00.0)', 'fifo:1', '0-7'] }],
    ['an ordinary thread', { '902': ['irq/46-vfio-msix[1](0000:81:00.0)', 'other', '0-7'] }],
  ])(
    '%s leaves no place for a real-time vCPU: none is made, and throttling stays',
    async (_what, threads) => {
      const { lines, severity } = await lookAt('xeon-rt', { threads }, 'dpdk0');
      expect(guarded(lines)).toEqual([]);
      expect(severity('priority-inversion')).toBe('fail');
    },
  );

  test('a vCPU with a deadline stands above every thread, and cannot be set back', async () => {
    const threads = { '2000/task/2011': ['CPU 1/KVM', 'deadline', '6'] } as const;
    const { lines, severity } = await lookAt('xeon-rt', { threads }, 'dpdk0', { pins: new Map([[1, 6]]) });
    expect(guarded(lines)).toEqual([]);
    expect(severity('priority-inversion')).toBe('fail');
  });

  test('the lowest of several NICs’ threads counts', async () => {
    const threads = { '902': ['irq/46-vfio-msix[1](0000:81:00.0)', 'fifo:4', '0-7'] } as const;
    const { lines } = await lookAt('xeon-rt', { threads }, 'dpdk0');
    expect(guarded(lines)[0]).toBe('vcpu-scheduler dpdk0/vcpu/1 -> fifo:3');
  });

  test('a thread that somebody raised counts as a new one: the guest’s next interrupts have those', async () => {
    const threads = {
      '901': ['irq/45-vfio-msix[0](0000:81:00.0)', 'fifo:80', '0-7'],
      '902': ['irq/46-vfio-msix[1](0000:81:00.0)', 'fifo:80', '0-7'],
      '2000/task/2011': ['CPU 1/KVM', 'fifo:60', '6'],
    } as const;
    const { lines } = await lookAt('xeon-rt', { threads }, 'dpdk0');
    expect(guarded(lines)[0]).toBe('vcpu-scheduler dpdk0/vcpu/1 -> fifo:10');
  });

  test('a function of the group that another variant driver has is no host driver’s', async () => {
    const other = '0000:81:00.1';
    const change = {
      files: { [`/sys/kernel/iommu_groups/40/devices/${other}`]: '' },
      links: { [`/sys/bus/pci/devices/${other}/driver`]: '../../../../bus/pci/drivers/mlx5_vfio_pci' },
    };
    expect((await lookAt('xeon-rt', change, 'dpdk0')).severity('iommu-group')).toBeUndefined();
  });

  test('the NIC’s own legacy interrupt is no stranger', async () => {
    const change = {
      files: {
        '/proc/irq/30/smp_affinity_list': '6',
        '/sys/kernel/irq/30/actions': `vfio-intx(${nic})`,
      },
    };
    expect((await lookAt('xeon-rt', change, 'dpdk0')).severity('other-interrupts')).toBe('ok');
  });
});
