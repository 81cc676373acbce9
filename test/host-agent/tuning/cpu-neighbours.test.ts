// SPDX-License-Identifier: Apache-2.0
import { rmSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { lookAt, nic, root } from './changed-host.js';
import type { Change } from './recorded-host.js';

describe('who shares a CPU with DPDK', () => {
  test.each<[string, NonNullable<Change['threads']>, string]>([
    ['an iothread', { '2000/task/2014': ['IO iothread1', 'other', '5-6'] }, 'iothread-on-dpdk-cpu'],
    ['a vhost thread', { '2000/task/2014': ['vhost-2000', 'other', '5-6'] }, 'vhost-on-dpdk-cpu'],
    ['a worker of its own', { '2000/task/2014': ['worker', 'other', '6'] }, 'emulator-on-dpdk-cpu'],
    ['another of its vCPUs', { '2000/task/2010': ['CPU 0/KVM', 'other', '5-6'] }, 'vcpu-on-dpdk-cpu'],
  ])('%s that may come to the DPDK CPU is reported', async (_who, threads, code) => {
    expect((await lookAt('xeon-rt', { threads }, 'dpdk0')).severity(code)).toMatch(/warn|fail/);
  });

  test.each<[string, Change]>([
    [
      'another VM’s vCPU',
      {
        files: {
          '/proc/3000/cmdline': '/usr/bin/kvm\0-name\0other\0',
          '/sys/kernel/debug/kvm/3000-9/vcpu0/pid': '3010',
        },
        threads: { '3000': ['kvm', 'other', '0-1'], '3000/task/3010': ['CPU 0/KVM', 'other', '2'] },
      },
    ],
    ['its own vCPU 0', { threads: { '2000/task/2010': ['CPU 0/KVM', 'other', '2'] } }],
  ])('%s on the isolated sibling of a DPDK CPU is reported', async (_who, { files, threads }) => {
    const smt = {
      '/sys/devices/system/cpu/smt/active': '1',
      '/sys/devices/system/cpu/cpu6/topology/thread_siblings_list': '2,6',
    };
    expect((await lookAt('xeon-rt', { files: smt }, 'dpdk0')).severity('smt')).toBe('ok');
    rmSync(root, { recursive: true });
    const change = { files: { ...smt, ...files }, threads: threads ?? {} };
    expect((await lookAt('xeon-rt', change, 'dpdk0')).severity('smt')).toBe('warn');
  });

  test('what isolcpus= lacks is told with the flags that it shall have', async () => {
    const { found } = await lookAt('nova-dedicated-no-isolcpus', {}, 'instance-0000000a');
    const cure = found.find(({ code }) => code === 'isolcpus')?.todo;
    expect(cure).toContain('isolcpus=managed_irq,domain,5');
  });

  test('a thread that may run on DPDK CPUs alone keeps throttling in force, or it would never run again', async () => {
    const threads = { '2000/task/2014': ['IO iothread1', 'other', '6'] } as const;
    const { lines } = await lookAt('xeon-rt', { threads }, 'dpdk0');
    expect(lines.filter((line) => line.startsWith('rt-throttling'))).toEqual([]);
  });

  test('another VM whose vCPU stands above its own NIC’s thread keeps it in force too, for it is the whole host’s', async () => {
    const second = '0000:82:00.0';
    const change: Change = {
      files: {
        '/proc/3000/cmdline': '/usr/bin/kvm\0-name\0other\0',
        '/sys/kernel/debug/kvm/3000-9/vcpu0/pid': '3010',
        [`/sys/bus/pci/devices/${second}/class`]: '0x020000',
        [`/sys/bus/pci/devices/${second}/msi_irqs/50`]: 'msix',
        '/proc/irq/50/smp_affinity_list': '3',
        '/sys/kernel/irq/50/actions': `vfio-msix[0](${second})`,
        [`/sys/kernel/iommu_groups/41/devices/${second}`]: '',
      },
      links: {
        '/proc/3000/fd/23': '/dev/vfio/41',
        [`/sys/bus/pci/devices/${second}/driver`]: '../../../../bus/pci/drivers/vfio-pci',
        [`/sys/bus/pci/devices/${second}/iommu_group`]: '../../../../kernel/iommu_groups/41',
      },
      threads: {
        '3000': ['kvm', 'other', '0-1'],
        '3000/task/3010': ['CPU 0/KVM', 'fifo:60', '3'],
        '950': [`irq/50-vfio-msix[0](${second})`, 'fifo:50', '3'],
      },
    };
    const { lines, found } = await lookAt('xeon-rt', change, 'dpdk0');
    expect(lines.filter((line) => line.startsWith('rt-throttling'))).toEqual([]);
    expect(found.find(({ code }) => code === 'throttling-needed')).toMatchObject({
      severity: 'warn',
      todo: 'chrt --fifo --pid 10 3010',
      undo: 'chrt --fifo --pid 60 3010',
    });
  });

  test('a worker of QEMU’s that has CPUs of its own is left there, and restored nowhere else', async () => {
    const threads = { '2000/task/2013': ['worker', 'other', '0'] } as const;
    const { lines } = await lookAt('xeon-rt', { threads }, 'dpdk0');
    expect(lines).toContain('emulator-pin dpdk0/emulator/not:2013 -> 0-1,4-5');
  });

  test('another of its vCPUs that is kept to two DPDK CPUs is reported', async () => {
    const change = {
      files: {
        '/sys/kernel/debug/kvm/2000-14/vcpu2/pid': '2015',
        '/sys/kernel/debug/kvm/2000-14/vcpu3/pid': '2016',
      },
      threads: {
        '2000/task/2015': ['CPU 2/KVM', 'fifo:10', '7'],
        '2000/task/2016': ['CPU 3/KVM', 'other', '6-7'],
      },
    } as const;
    expect((await lookAt('xeon-rt', change, 'dpdk0')).severity('vcpu-on-dpdk-cpu')).toBe('fail');
  });

  test('many threads that are alike are one finding, and another VM’s are named with it', async () => {
    const workers = Object.fromEntries(
      Array.from({ length: 40 }, (_, at) => [`3000/task/${3100 + at}`, ['worker', 'other', '5-6']]),
    );
    const { found } = await lookAt(
      'xeon-rt',
      {
        files: { '/proc/3000/cmdline': '/usr/bin/kvm\0-name\0other\0' },
        threads: { ...workers, '3000': ['kvm', 'other', '5-6'] } as NonNullable<Change['threads']>,
      },
      'dpdk0',
    );
    const told = found.filter(
      ({ code, read }) => code === 'emulator-on-dpdk-cpu' && read.includes(' of other '),
    );
    expect(told).toHaveLength(1);
    expect(told[0]?.read).toContain('and 37 more of other');
  });

  test('each of two NICs has the CPU of the vCPU that waits for it, once that is said', async () => {
    const second = '0000:82:00.0';
    const change = {
      files: {
        '/sys/kernel/debug/kvm/2000-14/vcpu2/pid': '2015',
        [`/sys/bus/pci/devices/${second}/class`]: '0x020000',
        [`/sys/bus/pci/devices/${second}/msi_irqs/50`]: 'msix',
        [`/sys/bus/pci/devices/${second}/msi_irqs/51`]: 'msix',
        '/proc/irq/50/smp_affinity_list': '0-7',
        '/proc/irq/51/smp_affinity_list': '0-7',
        '/sys/kernel/irq/50/actions': `vfio-msix[0](${second})`,
        '/sys/kernel/irq/51/actions': `vfio-msix[1](${second})`,
        [`/sys/kernel/iommu_groups/41/devices/${second}`]: '',
      },
      links: {
        '/proc/2000/fd/23': '/dev/vfio/41',
        [`/sys/bus/pci/devices/${second}/driver`]: '../../../../bus/pci/drivers/vfio-pci',
        [`/sys/bus/pci/devices/${second}/iommu_group`]: '../../../../kernel/iommu_groups/41',
      },
      threads: { '2000/task/2015': ['CPU 2/KVM', 'fifo:10', '7'] },
    } as const;
    const affinities = (lines: readonly string[]) => lines.filter((line) => line.startsWith('irq-affinity'));
    const unsaid = await lookAt('xeon-rt', change, 'dpdk0');
    expect(unsaid.severity('nic-cpu')).toBe('fail');
    expect(unsaid.lines.filter((line) => /irq-affinity|vcpu-scheduler|rt-throttling/.test(line))).toEqual([]);
    rmSync(root, { recursive: true });
    const nics = new Map([
      [nic, [6]],
      [second, [7]],
    ]);
    expect(affinities((await lookAt('xeon-rt', change, 'dpdk0', { nics })).lines)).toEqual([
      `irq-affinity ${nic}/irq/45 -> 6`,
      `irq-affinity ${nic}/irq/46 -> 6`,
      `irq-affinity ${second}/irq/50 -> 7`,
      `irq-affinity ${second}/irq/51 -> 7`,
    ]);
  });

  test('another VM’s vCPU that is kept to some CPUs with a DPDK CPU among them keeps throttling in force', async () => {
    const { severity, lines } = await lookAt(
      'xeon-rt',
      {
        files: {
          '/proc/3000/cmdline': '/usr/bin/kvm\0-name\0other\0',
          '/sys/kernel/debug/kvm/3000-9/vcpu0/pid': '3010',
        },
        threads: { '3000': ['kvm', 'other', '0-1'], '3000/task/3010': ['CPU 0/KVM', 'other', '5-6'] },
      },
      'dpdk0',
    );
    expect(severity('cpu-of-another-vm')).toBe('fail');
    expect(lines.filter((line) => /rt-throttling|scheduler/.test(line))).toEqual([]);
  });

  test('a real-time mask with several left ordinary: none of those is made FIFO', async () => {
    const { target, lines } = await lookAt(
      'nova-realtime-mask',
      {
        files: {
          '/sys/kernel/debug/kvm/2000-14/vcpu2/pid': '2015',
          '/sys/kernel/debug/kvm/2000-14/vcpu3/pid': '2016',
        },
        threads: {
          '2000/task/2015': ['CPU 2/KVM', 'other', '2'],
          '2000/task/2016': ['CPU 3/KVM', 'fifo:1', '3'],
        },
      },
      'instance-0000000a',
    );
    expect(target.dpdk.map(({ vcpu }) => vcpu)).toEqual([1, 3]);
    expect(lines.filter((line) => line.includes('vcpu-scheduler'))).toEqual([]);
  });
});
