// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { explained } from '../../../host-agent/tuning/checks/explanations.js';
import { warn } from '../../../host-agent/tuning/checks/finding.js';
import { checkIdle } from '../../../host-agent/tuning/checks/idle.js';
import { checkRivals } from '../../../host-agent/tuning/checks/rivals.js';
import { judge } from '../../../host-agent/tuning/rules/rule.js';
import { rules } from '../../../host-agent/tuning/rules/rules.js';
import type { Target } from '../../../host-agent/tuning/target.js';
import { canRun, commandOf, lacks, runOn } from './cures.js';
import { memoryHost, type Tree } from './memory-host.js';
import { systemAt, unpack } from './recorded-host.js';
import { snapshot } from './snapshot.js';

const nic = '0000:81:00.0';
const other = { policy: 'other', priority: 0 } as const;
const fifo = { policy: 'fifo', priority: 10 } as const;

function targetWith(scheduling: typeof other | typeof fifo, domain = true): Target {
  const vcpus = [{ vcpu: 1, thread: 2011, cpus: '6', scheduling }];
  const facts = {
    name: 'dpdk0',
    uuid: null,
    pid: 2000,
    vcpus,
    emulatorCpus: '0-1',
    ownCpus: [],
    cpuset: null,
  };
  return {
    domain: null,
    dpdk: [{ vcpu: 1, cpu: 6 }],
    cpus: [6],
    housekeeping: [0, 1],
    online: [0, 1, 6, 7],
    apart: [6, 7],
    neighbours: [],
    nics: [{ address: nic, cpus: [6] }],
    maxExitLatency: null,
    apply: 'vmcall tune apply dpdk0',
    undecided: [],
    facts: domain ? { ...facts, hostdevs: [nic], doubtful: [], mediated: [] } : null,
  };
}

const look = (tree: Tree, target = targetWith(fifo)) => judge(rules, memoryHost(tree), target);

const idle = '/sys/devices/system/cpu/cpu6/cpuidle';
const states = {
  '/sys/devices/system/cpu/cpuidle/current_driver': 'intel_idle',
  '/sys/devices/system/cpu/cpuidle/current_governor': 'menu',
  '/sys/devices/system/cpu/possible': '0-7',
  '/sys/devices/system/cpu/nohz_full': '6-7',
  [`${idle}/state1/name`]: 'C1',
  [`${idle}/state1/latency`]: '2',
  [`${idle}/state2/name`]: 'C6',
  [`${idle}/state2/latency`]: '133',
};
const frequency = '/sys/devices/system/cpu/cpu6/cpufreq';
const rt = 'Linux version 6.12.117+deb12-rt-amd64 (x) #1 SMP PREEMPT_RT Debian';
const irq = {
  [`/sys/bus/pci/devices/${nic}/msi_irqs/45`]: 'msix',
  '/proc/irq/45/smp_affinity_list': '6',
  '/sys/kernel/irq/45/actions': `vfio-msix[0](${nic})`,
};
const node = { [`/sys/bus/pci/devices/${nic}/numa_node`]: '1' };
const maps = (page: number, nodes: string) => ({
  ...node,
  '/proc/2000/numa_maps': `7f00 bind:1 file=/anon_hugepage huge anon=4096 dirty=4096 ${nodes} kernelpagesize_kB=${page}\n7f01 default heap anon=3 N0=3 kernelpagesize_kB=4`,
});
const latency = (us: number) => String.fromCharCode(us & 255, us >> 8, 0, 0);

const kernel = '6.12.117+deb12-rt-amd64';
const series = { '/sys/module/kvm/parameters/irqfd_hardirq_max': '8' };
const six = ['kvm', 'kvm-amd', 'kvm-intel', 'irqbypass', 'vfio-pci-core', 'vfio-pci'];
const index = (folder: string) => six.map((name) => `${folder}/${name}.ko.xz:`).join('\n');
const dpkg = (version: string) =>
  `Package: other\nStatus: install ok installed\nVersion: 9\n\nPackage: linux-headers-${kernel}\nStatus: install ok installed\nSource: linux\nVersion: ${version}\n\nPackage: x\n`;

describe.each<[code: string, severity: 'warn' | 'fail', bad: Tree, good: Tree, cure: RegExp]>([
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
  [
    'cpuidle-governor',
    'warn',
    { files: states },
    { files: { ...states, '/sys/devices/system/cpu/cpuidle/current_governor': 'teo' } },
    /teo/,
  ],
  [
    'cpuidle-governor',
    'warn',
    { files: states },
    { files: { ...states, '/sys/devices/system/cpu/cpu6/power/pm_qos_resume_latency_us': '2' } },
    /tune apply/,
  ],
  [
    'cpuidle-governor',
    'warn',
    { files: states },
    { files: { ...states, '/dev/cpu_dma_latency': latency(2) } },
    /tune apply/,
  ],
  [
    'cpuidle-governor',
    'warn',
    { files: states },
    { files: { ...states, [`${idle}/state2/disable`]: '1' } },
    /tune apply/,
  ],
  [
    'cpuidle-governor',
    'warn',
    { files: states },
    { files: { ...states, '/sys/devices/system/cpu/nohz_full': '(null)' } },
    /tune apply/,
  ],
  [
    'frequency-governor',
    'warn',
    { files: { [`${frequency}/scaling_governor`]: 'ondemand' } },
    { files: { [`${frequency}/scaling_governor`]: 'performance' } },
    /for n in 6; do echo performance/,
  ],
  [
    'frequency-governor',
    'warn',
    {
      files: {
        [`${frequency}/scaling_governor`]: 'powersave',
        [`${frequency}/energy_performance_preference`]: 'balance_power',
      },
    },
    {
      files: {
        [`${frequency}/scaling_governor`]: 'powersave',
        [`${frequency}/energy_performance_preference`]: 'performance',
      },
    },
    /performance/,
  ],
  [
    'energy-preference',
    'warn',
    { files: { [`${frequency}/energy_performance_preference`]: 'balance_performance' } },
    { files: { [`${frequency}/energy_performance_preference`]: '0' } },
    /echo performance/,
  ],
  [
    'uclamp',
    'warn',
    {
      files: {
        [`${frequency}/scaling_governor`]: 'schedutil',
        '/proc/sys/kernel/sched_util_clamp_min_rt_default': '0',
      },
    },
    {
      files: {
        [`${frequency}/scaling_governor`]: 'schedutil',
        '/proc/sys/kernel/sched_util_clamp_min_rt_default': '1024',
      },
    },
    /=1024/,
  ],
  [
    'nmi-watchdog',
    'warn',
    { files: { '/proc/sys/kernel/nmi_watchdog': '1' } },
    {
      files: {
        '/proc/sys/kernel/nmi_watchdog': '1',
        '/proc/sys/kernel/watchdog_cpumask': '0-1',
        '/sys/devices/system/cpu/possible': '0-7',
      },
    },
    /nmi_watchdog=0/,
  ],
  [
    'watchdog-mask',
    'warn',
    {
      files: {
        '/proc/sys/kernel/soft_watchdog': '1',
        '/proc/sys/kernel/watchdog_cpumask': '0-7',
        '/sys/devices/system/cpu/possible': '0-7',
      },
    },
    {
      files: {
        '/proc/sys/kernel/soft_watchdog': '1',
        '/proc/sys/kernel/watchdog': '0',
        '/proc/sys/kernel/watchdog_cpumask': '0-7',
      },
    },
    /watchdog_cpumask=0-1/,
  ],
  [
    'workqueue-mask',
    'warn',
    { files: { '/sys/devices/virtual/workqueue/cpumask': 'ff' } },
    { files: { '/sys/devices/virtual/workqueue/cpumask': '3' } },
    /echo bf >/,
  ],
  [
    'workqueue-mask',
    'warn',
    { files: { '/sys/devices/virtual/workqueue/writeback/cpumask': 'ffffffff,ffffffff' } },
    { files: { '/sys/devices/virtual/workqueue/writeback/cpumask': 'ffffffff,ffffff3f' } },
    /echo ffffffff,ffffffbf >/,
  ],
  [
    'vmstat-interval',
    'warn',
    { files: { '/proc/sys/vm/stat_interval': '1', '/proc/version': rt } },
    {
      files: {
        '/proc/sys/vm/stat_interval': '1',
        '/proc/version': rt,
        '/sys/devices/system/cpu/isolated': '6-7',
        '/sys/devices/system/cpu/possible': '0-7',
      },
    },
    /stat_interval=10/,
  ],
  [
    'vmstat-interval',
    'warn',
    {
      files: {
        '/proc/sys/vm/stat_interval': '1',
        '/proc/version': 'Linux version 6.1.0-30-rt-amd64',
        '/sys/devices/system/cpu/isolated': '6-7',
        '/sys/devices/system/cpu/possible': '0-7',
      },
    },
    { files: { '/proc/sys/vm/stat_interval': '10', '/proc/version': 'Linux version 6.1.0-30-rt-amd64' } },
    /stat_interval=10/,
  ],
  [
    'timer-migration',
    'warn',
    { files: { '/proc/sys/kernel/timer_migration': '1' } },
    { files: { '/proc/sys/kernel/timer_migration': '0' } },
    /timer_migration=0/,
  ],
  [
    'rcu-expedited',
    'warn',
    { files: { '/sys/kernel/rcu_expedited': '1' } },
    { files: { '/sys/kernel/rcu_expedited': '1', '/sys/kernel/rcu_normal': '1' } },
    /echo 0/,
  ],
  [
    'tsc-flags',
    'fail',
    { files: { '/proc/cpuinfo': 'flags\t\t: fpu tsc vmx' } },
    { files: { '/proc/cpuinfo': 'flags\t\t: fpu tsc constant_tsc nonstop_tsc vmx' } },
    /invariant/,
  ],
  [
    'tsc-unstable',
    'fail',
    { log: '[ 9.0] tsc: Marking TSC unstable due to clocksource watchdog\n' },
    { log: '[ 1.0] tsc: Detected 2300 MHz TSC' },
    /firmware/,
  ],
  [
    'tsc-unstable',
    'fail',
    { files: { '/proc/cmdline': 'quiet tsc=unstable' } },
    { files: { '/proc/cmdline': 'quiet tsc=nowatchdog' } },
    /without/,
  ],
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
  ['memory-node', 'warn', { files: maps(1048576, 'N0=8') }, { files: maps(1048576, 'N1=8') }, /nodeset="1"/],
  [
    'hugepage-size',
    'warn',
    { files: maps(2048, 'N1=4096') },
    { files: maps(1048576, 'N1=8') },
    /hugepagesz=1G/,
  ],
  [
    'nova-cpu-power',
    'warn',
    {
      files: {
        '/etc/nova/nova.conf':
          '[DEFAULT]\n[libvirt]\ncpu_power_management = True\ncpu_power_management_strategy=cpu_state\n',
      },
    },
    {
      files: {
        '/etc/nova/nova.conf':
          '[other]\ncpu_power_management = True\n[libvirt]\ncpu_power_management =\nvirt_type=kvm\n',
      },
    },
    /nova.conf/,
  ],
  [
    'nova-cpu-power',
    'warn',
    {
      files: {
        '/etc/kolla/nova-compute/nova.conf':
          '[libvirt]\n# x\ncpu_power_management=true\ncpu_power_management_strategy = governor\n',
      },
    },
    { files: { '/etc/nova/nova.conf': '[libvirt]\n#cpu_power_management=true\n' } },
    /governor/,
  ],
  [
    'crio-annotations',
    'warn',
    {
      files: {
        '/run/containers/storage/overlay-containers/ab/userdata/config.json':
          '{"annotations":{"cpu-c-states.crio.io":"disable"}}',
      },
    },
    { files: { '/etc/crio/crio.conf.d/99.conf': 'allowed_annotations = ["irq-load-balancing.crio.io"]' } },
    /annotation/,
  ],
])('%s', (code, severity, bad, good, cure) => {
  test('is reported with its reason, source, fix and undo where it is so, and not where it is not', () => {
    const found = look(bad).filter((finding) => finding.code === code);
    expect(found).toMatchObject([{ severity, todo: expect.stringMatching(cure) }]);
    for (const { why, source, todo, undo } of found) {
      for (const text of [why, source, todo, undo]) expect(text).toMatch(/.{5}/);
      for (const text of [todo, undo]) expect([text, lacks(text ?? '')]).toEqual([text, null]);
    }
    for (const finding of look(good)) if (finding.code === code) expect(finding.severity).toBe('ok');
  });

  test('is gone once its cure has run as it stands, and back by the undo', () => {
    const { todo, undo } = look(bad).find((finding) => finding.code === code) ?? {};
    const [doing, undoing] = [todo, undo].map((text) => commandOf(text ?? ''));
    // What vmcall itself sets is tried with it; packages and words are for a person.
    if (doing == null || undoing == null || ![doing, undoing].every(canRun)) return;
    // The kernel itself takes a livepatch's folder away.
    if (code === 'livepatch') return;
    const root = mkdtempSync(join(tmpdir(), 'vmcall-cure-'));
    try {
      const { files = {}, links = {}, log = '' } = bad;
      const host = { about: '', sources: [''], threads: {}, links, files: { ...files, '/dmesg': log } };
      unpack(host, root);
      const onTree = () =>
        judge(rules, systemAt(root).host, targetWith(fifo)).filter((one) => one.code === code);
      const told = onTree();
      const before = snapshot(root);
      runOn(root, doing);
      expect(onTree().map(({ severity }) => severity)).not.toContain(severity);
      runOn(root, undoing);
      expect(onTree()).toEqual(told);
      // The kernel says what was written in words of its own there.
      if (!/^modprobe|soft_moderation/.test(undoing)) expect(snapshot(root)).toMatchObject(before);
    } finally {
      rmSync(root, { recursive: true, force: true });
    }
  });
});

test('a host with none of these files has nothing said against it', () => {
  expect(look({}).filter(({ severity }) => severity !== 'ok')).toEqual([]);
});

test('an ordinary vCPU under schedutil is shown its own clamp', () => {
  const tree = { files: { [`${frequency}/scaling_governor`]: 'schedutil' } };
  const [found] = look(tree, targetWith(other)).filter(({ code }) => code === 'uclamp');
  expect(found?.todo).toContain('uclampset -m 1024 -p 2011');
  expect(found?.undo).toBe('uclampset -m 0 -p 2011');
});

test('without a domain the pools beside each NIC are judged, by size', () => {
  const pools = (count: string) => ({
    files: {
      ...node,
      '/sys/devices/system/node/node1/hugepages/hugepages-1048576kB/nr_hugepages': count,
      '/sys/devices/system/node/node1/hugepages/hugepages-1048576kB/free_hugepages': count,
    },
  });
  const judged = (count: string) =>
    look(pools(count), targetWith(fifo, false)).find(({ code }) => code === 'hugepage-pools');
  expect(judged('0')).toMatchObject({
    severity: 'warn',
    todo: expect.stringContaining('Boot with hugepagesz=1G hugepages=1:8'),
  });
  expect(judged('8')).toMatchObject({ severity: 'ok', read: 'node 1: 8 pages of 1 GiB, 8 free' });
});

test('who holds the host-wide limit is named', () => {
  const host = memoryHost({
    files: { ...states, '/dev/cpu_dma_latency': latency(2), '/proc/703/comm': 'tuned' },
    links: { '/proc/703/fd/9': '/dev/cpu_dma_latency' },
  });
  const found = checkIdle(host, targetWith(fifo)).find(({ code }) => code === 'cpu-dma-latency');
  expect(found).toMatchObject({
    severity: 'ok',
    read: '/dev/cpu_dma_latency is held at 2 us by tuned (process 703)',
  });
});

describe('tuned, by what its profiles set', () => {
  const tuned = (files: Record<string, string>) =>
    checkRivals(memoryHost({ files: { '/proc/703/comm': 'tuned', ...files } })).find(
      ({ code }) => code === 'tuned',
    );
  const active = (name: string) => ({ '/etc/tuned/active_profile': name });
  const own = (text: string) => ({ '/etc/tuned/profiles/site/tuned.conf': text });

  test.each([
    ['realtime-virtual-host', active('realtime-virtual-host')],
    ['cpu-partitioning', active('cpu-partitioning')],
    [
      'one of a site that includes it',
      { ...active('site'), ...own('[main]\ninclude=realtime-virtual-host\n[sysctl]\nvm.swappiness=1\n') },
    ],
    [
      'one that sets a governor over what it includes',
      { ...active('site'), ...own('[main]\ninclude=balanced\n[cpu]\ngovernor=performance\n') },
    ],
  ])('%s agrees', (_name, files) => expect(tuned(files)?.severity).toBe('ok'));

  test.each([
    ['balanced', active('balanced'), 'governor='],
    [
      'one that includes it',
      { ...active('site'), ...own('[main]\nsummary=x\ninclude=balanced\n') },
      'governor=',
    ],
    [
      'one that throttles',
      {
        ...active('site'),
        ...own('[main]\ninclude=realtime\n[sysctl]\nkernel.sched_rt_runtime_us = 950000\n'),
      },
      'sched_rt_runtime_us=950000',
    ],
    [
      'one whose unit has a name of its own',
      { ...active('site'), ...own('[main]\nsummary=x\n[my_cpus]\ntype=cpu\ngovernor=ondemand\n') },
      'governor=ondemand',
    ],
    [
      'one that is loaded after',
      {
        ...active('realtime'),
        '/etc/tuned/post_loaded_profile': 'site',
        ...own('[cpu]\ngovernor=powersave\n'),
      },
      'governor=powersave',
    ],
    [
      'one that polls',
      {
        ...active('site'),
        ...own('[main]\ninclude=realtime\n[sysfs]\n/sys/module/kvm/parameters/halt_poll_ns=200000\n'),
      },
      'halt_poll_ns=200000',
    ],
    ['one that is not to be found', active('gone'), 'cannot be read'],
    ['none', {}, 'unknown'],
  ])('%s does not', (_name, files, word) => {
    const found = tuned(files);
    expect(found).toMatchObject({ severity: 'warn', read: expect.stringContaining(word) });
    expect(explained(found ?? warn('', '', ''))).toMatchObject({
      why: expect.any(String),
      undo: expect.any(String),
    });
  });
});
