// SPDX-License-Identifier: Apache-2.0
import { formatCpuMask, formatCpus, without } from '../../../host-agent/tuning/cpu-set.js';
import { type Random, seededRandom } from '../../../src/statistics/random.js';
import type { RecordedHost } from './recorded-host.js';

/** A PCI function that a VM holds, or that stands beside one in its group. */
interface Function {
  address: string;
  isNic: boolean;
  group: number;
  /** With its vectors' interrupts; none while the guest's driver has not asked. */
  irqs: { irq: number; thread: string | null }[];
}

/** A VM as it really is, whatever the host's files show of it. */
interface RandomVm {
  name: string;
  uuid: string | null;
  ids: string[];
  pid: number;
  vcpus: { thread: number; cpus: number[]; scheduling: string }[];
  /** QEMU's other threads. */
  others: { thread: number; name: string; cpus: number[] }[];
  held: Function[];
}

/** What is true of a random host, beside the tree that shows it. */
export interface RandomHost {
  seed: number;
  tree: Pick<RecordedHost, 'files' | 'links' | 'threads'>;
  online: number[];
  /** Kept apart from ordinary work, by whatever way. */
  apart: number[];
  vms: RandomVm[];
  /** CPUs of threads that poll. */
  polled: number[];
}

const drivers = ['vfio-pci', 'mlx5_vfio_pci', 'nvgrace-gpu-vfio-pci', 'virtio-vfio-pci', 'hisi-acc-vfio-pci'];
const programs = [
  '/usr/bin/qemu-system-x86_64',
  '/usr/bin/kvm',
  '/usr/libexec/qemu-kvm',
  '/usr/bin/qemu-system-x86_64 (deleted)',
  'renamed-emulator',
];
const names = ['dpdk0', 'upf, of a site', '2000', 'a=b', 'instance-0000000a', 'vm/1', 'x'];

/** The same host for the same seed. */
export function randomHost(seed: number): RandomHost {
  const random = seededRandom(seed);
  const pick = <T>(list: readonly T[]): T => list[random.index(list.length)] as T;
  const maybe = (chance = 0.5) => random.uniform() < chance;
  const files: Record<string, string> = {};
  const links: Record<string, string> = {};
  const threads: Record<string, [string, string, string]> = {};
  const online = Array.from({ length: pick([4, 8, 12]) }, (_, cpu) => cpu);
  const all = formatCpus(online);
  const kept = online.slice(0, 1 + random.index(2));
  const apart = maybe(0.85) ? without(online, kept) : [];
  const isRt = maybe(0.8);
  general(files, online, isRt);
  if (maybe()) idleStates(files, online);
  const boot = ['BOOT_IMAGE=/vmlinuz', 'intel_iommu=on'];
  const init = apart.length > 0 ? setApart(random, files, boot, apart, kept) : online;
  files['/proc/cmdline'] = boot.join(' ');
  threads['1'] = ['systemd', 'other', formatCpus(init)];

  let irq = 40;
  let group = 10;
  let bus = 0x80;
  const vms = Array.from({ length: 1 + random.index(3) }, (_, at): RandomVm => {
    const pid = 2000 + 1000 * at;
    const free = apart.length > 0 && maybe(0.8) ? apart : online;
    const style = pick(['pinned', 'pinned', 'pinned', 'floating', 'anywhere'] as const);
    const mask = pick(['none', 'all', 'nova', 'low'] as const);
    const vcpus = Array.from({ length: 1 + random.index(4) }, (_, vcpu) => ({
      thread: pid + 10 + vcpu,
      cpus: style === 'pinned' ? [pick(free)] : style === 'floating' ? somewhere(random, free) : [...online],
      scheduling:
        mask === 'all' || (mask === 'nova' && vcpu > 0)
          ? pick(['fifo:1', 'fifo:10', 'fifo:60', 'rr:50', 'fifo:49', 'deadline'])
          : 'other',
    }));
    const main = pick([online, kept, free, [pick(free)]]);
    const others = [
      { thread: pid, name: 'qemu-system-x86', cpus: [...main] },
      { thread: pid + 50, name: 'worker', cpus: [...main] },
      ...(maybe(0.3) ? [{ thread: pid + 51, name: 'IO iothread1', cpus: somewhere(random, online) }] : []),
      ...(maybe(0.2) ? [{ thread: pid + 52, name: `vhost-${pid}`, cpus: somewhere(random, online) }] : []),
      ...(maybe(0.2) ? [{ thread: pid + 53, name: 'worker', cpus: somewhere(random, online) }] : []),
    ];
    const uuid = maybe(0.8) ? `b2a0f9f6-54a1-4c9d-8a55-0f6c2f1d7e1${at}` : null;
    const name = maybe(0.8) ? pick(names) : `vm${at}`;
    const held: Function[] = [];
    const idle: Function[] = [];
    const words = [
      pick(programs),
      '-accel',
      'kvm',
      '-name',
      `guest=${name.replaceAll(',', ',,')},debug-threads=on`,
    ];
    if (uuid) words.push('-uuid', uuid);
    for (let count = random.index(3); count > 0; count--) {
      group++;
      bus++;
      const members = Array.from({ length: pick([1, 1, 1, 2]) }, (_, number): Function => {
        const address = `${pick(['0000', '0000', '10000'])}:${bus.toString(16)}:00.${number}`;
        const isHeld = number === 0 || maybe(0.4);
        const isNic = maybe(0.75);
        const vectors = isHeld && maybe(0.7) ? 1 + random.index(3) : 0;
        const irqs = Array.from({ length: vectors }, () => ({
          irq: irq++,
          thread: isRt ? pick(['fifo:50', 'fifo:50', 'fifo:50', 'fifo:4', 'fifo:1', 'other']) : null,
        }));
        const one = { address, isNic, group, irqs };
        (isHeld ? held : idle).push(one);
        return one;
      });
      for (const one of members)
        putFunction(one, pick(drivers), files, links, threads, pick([all, formatCpus(kept)]));
    }
    open(random, { pid, held }, words, files, links);
    const byLibvirt = uuid !== null && maybe(0.6);
    const ids = byLibvirt ? [String(at + 1)] : [];
    if (byLibvirt) files[`/run/libvirt/qemu/d${at}.xml`] = status(pid, ids[0] ?? '', name, uuid, held);
    files[`/proc/${pid}/cmdline`] = `${words.join('\0')}\0`;
    for (const [vcpu, { thread, cpus, scheduling }] of vcpus.entries()) {
      threads[`${pid}/task/${thread}`] = [`CPU ${vcpu}/KVM`, scheduling, formatCpus(cpus)];
      files[`/sys/kernel/debug/kvm/${pid}-14/vcpu${vcpu}/pid`] = String(thread);
    }
    for (const { thread, name: comm, cpus } of others)
      threads[thread === pid ? String(pid) : `${pid}/task/${thread}`] = [comm, 'other', formatCpus(cpus)];
    if (maybe(0.8)) files[`/sys/kernel/kvm/${pid}-14/irqfd_hardirq`] = '0';
    return { name, uuid, ids, pid, vcpus, others, held };
  });
  const polled = maybe(0.2) ? [pick(online)] : [];
  if (polled.length > 0) {
    threads['800'] = ['ovs-vswitchd', 'other', all];
    threads['800/task/801'] = ['pmd-c02/id:8', 'other', formatCpus(polled)];
  }
  return { seed, tree: { files, links, threads }, online, apart, vms, polled };
}

const somewhere = (random: Random, cpus: readonly number[]) => {
  const from = random.index(cpus.length);
  return cpus.slice(from, from + 1 + random.index(3));
};

function general(files: Record<string, string>, online: readonly number[], isRt: boolean): void {
  const all = formatCpus(online);
  Object.assign(files, {
    '/sys/devices/system/cpu/online': all,
    '/sys/devices/system/cpu/possible': all,
    '/sys/devices/system/clocksource/clocksource0/current_clocksource': 'tsc',
    '/proc/version': `Linux version 6.12.117 (x) #1 SMP ${isRt ? 'PREEMPT_RT' : 'PREEMPT_DYNAMIC'}`,
    '/proc/cpuinfo': 'flags\t\t: fpu tsc constant_tsc nonstop_tsc vmx ept',
    '/proc/sys/kernel/sched_rt_runtime_us': '950000',
    '/proc/sys/kernel/random/boot_id': '6f1f3a52-0a43-4d3c-9d0e-0b3f5a1c2d3e',
    '/sys/module/kvm/parameters/halt_poll_ns': '200000',
    '/sys/module/kvm/parameters/irqfd_hardirq_max': '100000',
    '/dev/kvm': '',
  });
  for (const cpu of online) files[`/sys/kernel/debug/sched/fair_server/cpu${cpu}/runtime`] = '50000000';
}

function idleStates(files: Record<string, string>, online: readonly number[]): void {
  files['/sys/devices/system/cpu/cpuidle/current_driver'] = 'intel_idle';
  for (const cpu of online) {
    const folder = `/sys/devices/system/cpu/cpu${cpu}`;
    files[`${folder}/power/pm_qos_resume_latency_us`] = '0';
    for (const [state, name, latency] of [
      [0, 'POLL', 0],
      [1, 'C1', 2],
      [2, 'C6', 133],
    ])
      Object.assign(files, {
        [`${folder}/cpuidle/state${state}/name`]: name,
        [`${folder}/cpuidle/state${state}/latency`]: String(latency),
        [`${folder}/cpuidle/state${state}/disable`]: '0',
      });
  }
}

/** One or two of the ways in which hosts keep CPUs apart. @returns the CPUs of process 1 */
function setApart(
  random: Random,
  files: Record<string, string>,
  boot: string[],
  apart: readonly number[],
  kept: readonly number[],
): readonly number[] {
  const list = formatCpus(apart);
  const cpu = '/sys/devices/system/cpu';
  const last = apart.at(-1) ?? 0;
  const ways: (() => readonly number[] | undefined)[] = [
    () => {
      boot.push(`isolcpus=managed_irq,domain,${list}`);
      files[`${cpu}/isolated`] = list;
      return undefined;
    },
    () => {
      boot.push(`isolcpus=${apart[0]}-N`);
      files[`${cpu}/isolated`] = `${apart[0]}-${last}`;
      return undefined;
    },
    () => {
      boot.push(`nohz_full=${apart[0]}-${last}:1/1`);
      files[`${cpu}/nohz_full`] = list;
      return undefined;
    },
    () => {
      files['/sys/fs/cgroup/machine.slice/cpuset.cpus.partition'] = random.index(2) ? 'isolated' : 'root';
      files['/sys/fs/cgroup/machine.slice/cpuset.cpus.effective'] = list;
      return undefined;
    },
    () => {
      files['/etc/systemd/system.conf.d/cpus.conf'] = `[Manager]\nCPUAffinity=${kept.join(' ')}\n`;
      return kept;
    },
    () => {
      boot.push(`systemd.cpu_affinity=${kept.join(',')}`);
      return kept;
    },
    () => {
      boot.push(`tuned.non_isolcpus=${formatCpuMask(kept).padStart(8, '0')}`);
      return undefined;
    },
    () => {
      files['/etc/tuned/active_profile'] = 'realtime-virtual-host';
      files['/etc/tuned/realtime-virtual-host-variables.conf'] = `isolated_cores=${list}\n`;
      return undefined;
    },
  ];
  const first = ways[random.index(ways.length)]?.();
  const second = random.index(2) ? ways[random.index(ways.length)]?.() : undefined;
  return first ?? second ?? [...kept, ...apart];
}

function putFunction(
  { address, isNic, group, irqs }: Function,
  driver: string,
  files: Record<string, string>,
  links: Record<string, string>,
  threads: Record<string, [string, string, string]>,
  affinity: string,
): void {
  const folder = `/sys/bus/pci/devices/${address}`;
  files[`${folder}/class`] = isNic ? '0x020000' : '0x010802';
  files[`${folder}/numa_node`] = '0';
  links[`${folder}/driver`] = `../../../../bus/pci/drivers/${driver}`;
  links[`${folder}/iommu_group`] = `../../../../kernel/iommu_groups/${group}`;
  files[`/sys/kernel/iommu_groups/${group}/devices/${address}`] = '';
  files[`${folder}/vfio-dev/${characterOf(address)}/dev`] = '511:0';
  for (const [vector, { irq, thread }] of irqs.entries()) {
    files[`${folder}/msi_irqs/${irq}`] = 'msix';
    files[`/proc/irq/${irq}/smp_affinity_list`] = affinity;
    files[`/sys/kernel/irq/${irq}/actions`] = `vfio-msix[${vector}](${address})`;
    files[`/sys/kernel/irq/${irq}/chip_name`] = 'IR-PCI-MSIX';
    if (thread !== null)
      threads[String(100_000 + irq)] = [`irq/${irq}-vfio-msix[${vector}](${address})`, thread, affinity];
  }
}

const characterOf = (address: string) => `vfio${Number.parseInt(address.replace(/\D/g, '').slice(-6), 10)}`;

/** Its descriptors: of groups, of devices, or of what the kernel names in fdinfo alone. */
function open(
  random: Random,
  { pid, held }: { pid: number; held: readonly Function[] },
  words: string[],
  files: Record<string, string>,
  links: Record<string, string>,
): void {
  links[`/proc/${pid}/fd/1`] = '/dev/null';
  const way = random.index(3);
  for (const [at, { address, group }] of held.entries()) {
    const fd = `/proc/${pid}/fd/${20 + at}`;
    if (way === 0) links[fd] = `/dev/vfio/${group}`;
    else if (way === 1) links[fd] = `/dev/vfio/devices/${characterOf(address)}`;
    else {
      links[fd] = 'anon_inode:[vfio-device]';
      files[`/proc/${pid}/fdinfo/${20 + at}`] =
        `pos:\t0\nvfio-device-syspath: /sys/devices/pci0000:80/${address}`;
    }
    if (random.index(2)) words.push('-device', `{"driver":"vfio-pci","host":"${address}"}`);
  }
}

function status(pid: number, id: string, name: string, uuid: string, held: readonly Function[]): string {
  const devices = held.map(({ address }) => {
    const [domain, bus, rest = ''] = address.split(':');
    const [slot, number] = rest.split('.');
    return `<hostdev mode='subsystem' type='pci'><source><address domain='0x${domain}' bus='0x${bus}' slot='0x${slot}' function='0x${number}'/></source></hostdev>`;
  });
  return `<domstatus state='running' pid='${pid}'><domain type='kvm' id='${id}'><name>${name}</name><uuid>${uuid}</uuid><devices>${devices.join('')}</devices></domain></domstatus>`;
}
