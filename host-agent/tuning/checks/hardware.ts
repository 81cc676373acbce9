// SPDX-License-Identifier: Apache-2.0

import type { Host } from '../../host/host.js';
import { formatCpus, overlap, parseCpus, without } from '../cpu-set.js';
import { onlineCpus, siblingsOf } from '../cpus.js';
import type { VmThread } from '../neighbours.js';
import { writeEach } from '../shell.js';
import type { Target } from '../target.js';
import { type Finding, fail, ok, warn } from './finding.js';

/** Threads that a finding names. */
const shown = 4;

/** NUMA, SMT, memory, clock and microcode. */
export function checkHardware(host: Host, target: Target): Finding[] {
  return [
    ...numa(host, target),
    ...smt(host, target),
    hugePages(host, target),
    ...clock(host),
    ...microcode(host),
  ];
}

/** linux: Documentation/ABI/testing/sysfs-bus-pci, numa_node; -1 where the firmware does not say. */
function numa(host: Host, { nics, cpus }: Target): Finding[] {
  return nics.flatMap(({ address, cpus: own }) => {
    const node = Number(host.read(`/sys/bus/pci/devices/${address}/numa_node`) ?? -1);
    if (node < 0) return [];
    const near = parseCpus(host.read(`/sys/devices/system/node/node${node}/cpulist`) ?? '');
    if (near.length === 0) return [];
    const far = without(own.length > 0 ? own : cpus, near);
    if (far.length === 0) return [ok('numa', `${address} and its CPUs are on node ${node}`)];
    return [
      warn(
        'numa',
        `${address} is on node ${node}, CPU ${formatCpus(far)} is not`,
        `Use CPUs of ${formatCpus(near)} for it, and memory of node ${node}.`,
      ),
    ];
  });
}

/** A sibling shares the core's execution units with the DPDK CPU: isolated is enough only while nobody is put onto it. */
function smt(host: Host, { cpus, apart, dpdk, facts, neighbours }: Target): Finding[] {
  if (host.read('/sys/devices/system/cpu/smt/active') !== '1')
    return [ok('smt', 'simultaneous multithreading is not active')];
  const online = onlineCpus(host);
  const siblings = cpus.flatMap((cpu) => siblingsOf(host, cpu));
  const others = without(siblings, cpus);
  const guests = neighbours.filter(
    ({ vm, vcpu, cpus: own }) =>
      own.length < online.length &&
      overlap(own, others).length > 0 &&
      !(vm.pid === facts?.pid && dpdk.some((placed) => placed.vcpu === vcpu)),
  );
  const busy = without(others, apart);
  if (guests.length > 0) return [busySibling(guests, others)];
  if (busy.length === 0) return [ok('smt', 'the siblings of the DPDK CPUs are isolated, or used by DPDK')];
  return [
    {
      ...warn(
        'smt',
        `CPU ${formatCpus(busy)} shares cores with DPDK CPUs and does other work`,
        `${writeEach(busy, '/sys/devices/system/cpu/cpu{}/online', '0')}  # or isolate them too`,
      ),
      undo: writeEach(busy, '/sys/devices/system/cpu/cpu{}/online', '1'),
    },
  ];
}

function busySibling(guests: readonly VmThread[], siblings: readonly number[]): Finding {
  const who = guests
    .slice(0, shown)
    .map(
      ({ thread, vm, cpus }) => `"${thread.name}" of ${vm.name} (CPU ${formatCpus(overlap(cpus, siblings))})`,
    );
  const more = guests.length > shown ? ` and ${guests.length - shown} more` : '';
  return warn(
    'smt',
    `siblings of DPDK CPUs have work: ${who.join(', ')}${more}`,
    `Give the vCPUs whole cores (nova: hw:cpu_thread_policy=isolate), or pin those threads off CPU ${formatCpus(siblings)}.`,
  );
}

/** linux: Documentation/admin-guide/mm/hugetlbpage.rst; HugetlbPages in fs/proc/task_mmu.c. */
function hugePages(host: Host, { facts }: Target): Finding {
  if (facts) {
    const used = Number(
      /^HugetlbPages:\s*(\d+)/m.exec(host.read(`/proc/${facts.pid}/status`) ?? '')?.[1] ?? 0,
    );
    return used > 0
      ? ok('hugepages', `${facts.name} has ${used >> 10} MiB of huge pages`)
      : warn(
          'hugepages',
          `${facts.name} has no huge pages: more TLB misses, and KVM may split or swap its memory`,
          'Add <memoryBacking><hugepages/><locked/></memoryBacking> to the domain.',
        );
  }
  const total = Number(/^HugePages_Total:\s*(\d+)/m.exec(host.read('/proc/meminfo') ?? '')?.[1] ?? 0);
  return total > 0
    ? ok('hugepages', `${total} huge pages of the default size`)
    : warn(
        'hugepages',
        'no huge pages are set aside',
        'Boot with default_hugepagesz=1G hugepagesz=1G hugepages=8 (as many GiB as guests take).',
      );
}

const badRate = 'user requested TSC rate below hardware speed';

function clock(host: Host): Finding[] {
  const source = host.read('/sys/devices/system/clocksource/clocksource0/current_clocksource') ?? 'unknown';
  const findings = [
    source === 'tsc'
      ? ok('clocksource', 'tsc')
      : fail(
          'clocksource',
          `the clock source is ${source}, not tsc: reading it is slow, and the TSC was found unstable`,
          'See dmesg for why; update the firmware.',
        ),
  ];
  if (host.kernelLog()?.includes(badRate))
    findings.push(
      fail(
        'tsc-rate',
        `the kernel’s log says "${badRate}": guests of this boot may hang`,
        'The TSC was calibrated wrongly: boot again.',
      ),
    );
  return findings;
}

function microcode(host: Host): Finding[] {
  const cpuinfo = host.read('/proc/cpuinfo') ?? '';
  const revision = /^microcode\s*:\s*(\S+)/m.exec(cpuinfo)?.[1] ?? 'unknown';
  const folder = '/sys/devices/system/cpu/vulnerabilities';
  const lacking = host.names(folder).filter((name) => {
    const state = host.read(`${folder}/${name}`) ?? '';
    return /no microcode/i.test(state) || (name === 'old_microcode' && state.startsWith('Vulnerable'));
  });
  if (lacking.length === 0) return [ok('microcode', `revision ${revision}`)];
  return [
    warn(
      'microcode',
      `revision ${revision} lacks what the kernel needs for ${lacking.join(', ')}`,
      `apt-get install ${/AuthenticAMD/.test(cpuinfo) ? 'amd64' : 'intel'}-microcode  # then boot again`,
    ),
  ];
}
