// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { TuneRequest } from '../../../host-agent/tuning/request.js';
import { resolveTarget } from '../../../host-agent/tuning/target.js';
import { apply, openJournal, planTuning } from '../../../host-agent/tuning/tune.js';
import { look } from './look.js';
import { type Change, changed, systemAt, unpack } from './recorded-host.js';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'vmcall-variants-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

/** A recorded host with something else in its place. */
function host(name: string, change: Change) {
  unpack(changed(name, change), root);
  return systemAt(root);
}

async function lookAt(
  name: string,
  change: Change,
  domain: string | null,
  request: Partial<TuneRequest> = {},
) {
  const system = host(name, change);
  const seen = await look(system, domain, request);
  const severity = (code: string) => seen.found.find((finding) => finding.code === code)?.severity;
  return { system, severity, ...seen };
}

const nic = '0000:81:00.0';
const group = { '/proc/2000/fd/20': null };
const uuid = 'b2a0f9f6-54a1-4c9d-8a55-0f6c2f1d7e10';

/** As libvirt notes a running domain. */
const status = (pid: number, id: number, name: string, devices: string, of = uuid) =>
  `<domstatus state='running' reason='booted' pid='${pid}'><domain type='kvm' id='${id}'><name>${name}</name><uuid>${of}</uuid><devices>${devices}</devices></domain></domstatus>`;
const hostdev = (bus: string, slot: string, number: string) =>
  `<hostdev mode='subsystem' type='pci' managed='yes'><driver name='vfio'/><source><address domain='0x0000' bus='0x${bus}' slot='0x${slot}' function='0x${number}'/></source><address type='pci' domain='0x0000' bus='0x07' slot='0x00' function='0x0'/></hostdev>`;

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

describe('whose CPUs', () => {
  const place = async (change: Change) =>
    (await lookAt('nova-dedicated-no-isolcpus', change, 'instance-0000000a')).lines.find((line) =>
      line.startsWith('emulator-pin'),
    );
  const plain = 'BOOT_IMAGE=/vmlinuz intel_iommu=on iommu=pt';
  const bare = {
    '/proc/cmdline': plain,
    '/sys/devices/system/cpu/nohz_full': ' (null)',
  };
  const anywhere = { '1': ['systemd', 'other', '0-7'] } as const;

  test.each<[string, Change]>([
    [
      'isolcpus with flags',
      { files: { ...bare, '/proc/cmdline': `${plain} isolcpus=nohz,domain,managed_irq,2-7` } },
    ],
    ['isolcpus with strides', { files: { ...bare, '/proc/cmdline': `${plain} isolcpus=2-3,4-N:1/1` } }],
    ['nohz_full alone', { files: { ...bare, '/sys/devices/system/cpu/nohz_full': '2-7' } }],
    [
      'systemd’s CPUAffinity=',
      { files: { ...bare, '/etc/systemd/system.conf': '[Manager]\nCPUAffinity=0 1\n' } },
    ],
    [
      'a later drop-in of it',
      {
        files: {
          ...bare,
          '/etc/systemd/system.conf': '[Manager]\nCPUAffinity=0-3\n',
          '/etc/systemd/system.conf.d/cpu.conf': '[Manager]\nCPUAffinity=\nCPUAffinity=0-1\n',
        },
      },
    ],
    [
      'a drop-in with a later name, in a folder that comes later',
      {
        files: {
          ...bare,
          '/etc/systemd/system.conf.d/10-all.conf': '[Manager]\nCPUAffinity=0-7\n',
          '/usr/lib/systemd/system.conf.d/50-site.conf': '[Manager]\nCPUAffinity=\nCPUAffinity=0,1\n',
          '/usr/lib/systemd/system.conf.d/90-off.conf': '[Manager]\nCPUAffinity=\nCPUAffinity=0-7\n',
          '/etc/systemd/system.conf.d/90-off.conf': '',
        },
      },
    ],
    [
      'AllowedCPUs= of system.slice',
      { files: { ...bare, '/sys/fs/cgroup/system.slice/cpuset.cpus': '0-1' } },
    ],
    [
      'tuned’s isolated_cores',
      {
        files: {
          ...bare,
          '/etc/tuned/active_profile': 'cpu-partitioning',
          '/etc/tuned/cpu-partitioning-variables.conf': '# comment\nisolated_cores=0-7,^0-1\n',
        },
      },
    ],
    [
      'tuned’s way to calculate them, in a profile that includes it',
      {
        files: {
          ...bare,
          '/etc/tuned/active_profile': 'site',
          '/etc/tuned/site/tuned.conf': '[main]\ninclude=cpu-partitioning\n',
          // biome-ignore lint/suspicious/noTemplateCurlyInString: tuned's own.
          '/etc/tuned/cpu-partitioning-variables.conf': 'isolated_cores=${f:calc_isolated_cores:2}\n',
        },
      },
    ],
    [
      'variables of a profile’s own, as OpenShift’s Node Tuning Operator writes them',
      {
        files: {
          ...bare,
          '/etc/tuned/active_profile': 'openshift-node-performance-site',
          '/etc/tuned/openshift-node-performance-site/tuned.conf':
            '[main]\ninclude=cpu-partitioning\n[variables]\nisolated_cores=2-7\n',
        },
      },
    ],
    [
      'a file of variables that a profile includes',
      {
        files: {
          ...bare,
          '/etc/tuned/active_profile': 'site',
          '/etc/tuned/site/tuned.conf': '[main]\nsummary=x\n[variables]\ninclude=/etc/tuned/cores.conf\n',
          '/etc/tuned/cores.conf': 'isolated_cores = 2-7\n',
        },
      },
    ],
    [
      'a cpuset partition',
      {
        files: {
          ...bare,
          '/sys/fs/cgroup/machine.slice/cpuset.cpus.partition': 'isolated',
          '/sys/fs/cgroup/machine.slice/cpuset.cpus.effective': '2-7',
        },
      },
    ],
    [
      'a remote partition, in the root’s list',
      { files: { ...bare, '/sys/fs/cgroup/cpuset.cpus.isolated': '2-7' } },
    ],
  ])('by %s', async (_by, change) => {
    expect(await place({ ...change, threads: anywhere })).toBe(
      'emulator-pin instance-0000000a/emulator -> 0-1',
    );
  });

  test('an invalid partition is none, and an isolated one does what isolcpus= does', async () => {
    const partition = (state: string) => ({
      files: {
        ...bare,
        '/sys/fs/cgroup/machine.slice/cpuset.cpus.partition': state,
        '/sys/fs/cgroup/machine.slice/cpuset.cpus.effective': '2-7',
      },
      threads: anywhere,
    });
    const isolcpus = async (state: string) =>
      (await lookAt('nova-dedicated-no-isolcpus', partition(state), 'instance-0000000a')).severity(
        'isolcpus',
      );
    expect(await isolcpus('isolated')).toBe('ok');
    rmSync(root, { recursive: true });
    expect(await isolcpus('isolated invalid (Cpu list in cpuset.cpus not exclusive)')).toBe('fail');
    rmSync(root, { recursive: true });
    expect(await isolcpus('root')).toBe('fail');
  });

  test('nothing set apart: never to another instance’s, floating or pinned, nor to a polling thread’s', async () => {
    const files = bare;
    expect(await place({ files, threads: anywhere })).toContain('-> 0-3');
    rmSync(root, { recursive: true });
    const floating = { '3000/task/3010': ['CPU 0/KVM', 'other', '2-3,6-7'] } as const;
    expect(await place({ files, threads: { ...anywhere, ...floating } })).toContain('-> 0-1');
    rmSync(root, { recursive: true });
    const polling = {
      '800': ['ovs-vswitchd', 'other', '0-7'],
      '800/task/801': ['pmd-c02/id:8', 'other', '2'],
    } as const;
    expect(await place({ files, threads: { ...anywhere, ...polling } })).toContain('-> 0-1,3');
  });

  test('a cpuset that has none of the CPUs for ordinary work is reported, not run against', async () => {
    const { lines, severity } = await lookAt(
      'nova-dedicated-no-isolcpus',
      {
        files: {
          '/proc/2000/cgroup': '0::/machine.slice/vm.scope/libvirt/emulator',
          '/sys/fs/cgroup/machine.slice/vm.scope/libvirt/emulator/cpuset.cpus.effective': '4-5',
        },
      },
      'instance-0000000a',
    );
    expect(severity('emulator-place')).toBe('fail');
    expect(lines.filter((line) => /emulator|scheduler|rt-throttling/.test(line))).toEqual([]);
  });

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

describe('which domain', () => {
  const words = (...words: string[]) => `${words.join('\0')}\0`;
  test.each([
    ['/usr/libexec/qemu-kvm', 'plain'],
    ['/nix/store/abc/bin/.qemu-system-x86_64-wrapped', 'plain'],
    ['/opt/kata/bin/qemu-system-x86_64-experimental', 'plain'],
    ['/usr/bin/qemu-system-x86_64 (deleted)', 'plain'],
    ['my-emulator', 'comma, and space'],
  ])('started as %s, named "%s"', async (program, name) => {
    const cmdline = words(
      program,
      '-name',
      `guest=${name.replaceAll(',', ',,')},debug-threads=on`,
      '-uuid',
      uuid.toUpperCase(),
    );
    const system = host('xeon-rt', { files: { '/proc/2000/cmdline': cmdline } });
    for (const word of [name, uuid, uuid.toUpperCase(), uuid.replaceAll('-', '')])
      expect(await (await system.domains.find(word))?.facts()).toMatchObject({ name, pid: 2000, uuid });
  });

  test('by the file that runs, where the words name a loader and KVM’s folder is not to be seen', async () => {
    const cmdline = words(
      '/lib64/ld-linux-x86-64.so.2',
      '/usr/bin/qemu-system-x86_64',
      '-name',
      'vm7',
      '-accel',
      'kvm',
    );
    const system = host('xeon-rt', {
      files: { '/proc/2000/cmdline': cmdline, '/sys/kernel/debug/kvm/2000-14/vcpu0/pid': null },
      links: { '/proc/2000/exe': '/usr/bin/qemu-system-x86_64' },
    });
    expect(await (await system.domains.find('vm7'))?.facts()).toMatchObject({ pid: 2000 });
  });

  test('libvirt’s id, name with entities and user’s own libvirt, out of its note', async () => {
    const note = status(2000, 7, 'R&amp;D &lt;1&gt;', '');
    const system = host('xeon-rt', { files: { '/run/user/1000/libvirt/qemu/run/x.xml': note } });
    for (const word of ['7', 'R&D <1>', uuid]) expect(await system.domains.find(word)).not.toBeNull();
  });

  test.each([
    ['a name and another’s id', '7', { '/run/libvirt/qemu/a.xml': status(2000, 7, 'a', '') }, '7'],
    ['two of one name', 'twin', {}, 'twin'],
  ])('%s: refused, never one of them by chance', async (_what, name, files, word) => {
    const system = host('xeon-rt', {
      files: {
        ...(name === 'twin' && { '/proc/2000/cmdline': words('kvm', '-name', 'twin', '-uuid', uuid) }),
        '/proc/3000/cmdline': words('/usr/bin/kvm', '-name', name),
        ...files,
      },
      threads: { '3000': ['kvm', 'other', '0-1'] },
    });
    await expect(system.domains.find(word)).rejects.toMatchObject({ code: 'DOMAIN_AMBIGUOUS', exitCode: 2 });
  });
});
