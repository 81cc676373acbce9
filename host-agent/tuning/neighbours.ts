// SPDX-License-Identifier: Apache-2.0

import type { Host } from '../host/host.js';
import { qemuVms, type Vm, vcpuThreads } from '../host/qemu-process.js';
import { readThread, type Thread } from '../host/thread.js';
import { contains, overlap, parseCpus } from './cpu-set.js';

/** A thread of a VM that wants a CPU: which, and of whom. */
export interface VmThread {
  vm: Vm;
  kind: 'vcpu' | 'iothread' | 'vhost' | 'emulator';
  /** Of a vCPU. */
  vcpu: number | null;
  thread: Thread;
  cpus: readonly number[];
  /** Of QEMU's process; false for a kernel thread that works for it. */
  isTask: boolean;
}

/** QEMU names them so: `IO iothread1` (qemu: iothread.c). The monitor's is no disk's: it belongs to the emulator. */
const isIoThread = (name: string) => name.startsWith('IO ') && name !== 'IO mon_iothread';

/** Of vhost-net: a thread of QEMU's since 6.4, before a kernel thread named by QEMU's process (linux: drivers/vhost/vhost.c). */
const vhostOf = (name: string) => /^vhost-(\d+)/.exec(name)?.[1];

/** Threads of every VM on this host. */
export function vmThreads(host: Host): VmThread[] {
  const vms = qemuVms(host);
  const found = vms.flatMap((vm) => {
    const vcpus = new Map([...vcpuThreads(host, vm.pid)].map(([vcpu, thread]) => [thread, vcpu]));
    return host.names(`/proc/${vm.pid}/task`).flatMap((task): VmThread[] => {
      const thread = readThread(host, `/proc/${vm.pid}/task/${task}`);
      if (!thread) return [];
      const vcpu = vcpus.get(Number(task)) ?? null;
      const kind = vcpu === null ? kindOf(thread.name) : 'vcpu';
      return [{ vm, kind, vcpu, thread, cpus: parseCpus(thread.cpus), isTask: true }];
    });
  });
  return [...found, ...kernelVhosts(host, vms)];
}

const kindOf = (name: string) => (isIoThread(name) ? 'iothread' : vhostOf(name) ? 'vhost' : 'emulator');

function kernelVhosts(host: Host, vms: readonly Vm[]): VmThread[] {
  const byPid = new Map(vms.map((vm) => [String(vm.pid), vm]));
  return host.names('/proc').flatMap((entry): VmThread[] => {
    if (!/^\d+$/.test(entry) || byPid.has(entry)) return [];
    const vm = byPid.get(vhostOf(host.read(`/proc/${entry}/comm`) ?? '') ?? '');
    const thread = vm && readThread(host, `/proc/${entry}`);
    return thread
      ? [{ vm, kind: 'vhost', vcpu: null, thread, cpus: parseCpus(thread.cpus), isTask: false }]
      : [];
  });
}

/** CPUs that others than the domain want. */
export interface Occupied {
  /** Theirs alone: of vCPUs pinned to one CPU or to some set apart, and of polling programs' threads. */
  theirs: number[];
  /** To which other VMs' vCPUs are confined, those that share them with ordinary work included. */
  confined: number[];
}

/** The CPUs of other VMs' vCPUs, and of programs that poll (Open vSwitch's, VPP's). */
export function occupiedCpus(
  { threads, pollers }: { threads: readonly VmThread[]; pollers: readonly Thread[] },
  pid: number | null,
  { online, apart }: { online: readonly number[]; apart: readonly number[] },
): Occupied {
  const masks = threads
    .filter(({ vm, kind }) => vm.pid !== pid && kind === 'vcpu')
    .map(({ cpus }) => overlap(cpus, online));
  const own = masks.filter((cpus) => cpus.length === 1 || contains(apart, cpus));
  const confined = masks.filter((cpus) => cpus.length < online.length);
  const polled = pollers.map(({ cpus }) => parseCpus(cpus)).filter((cpus) => cpus.length < online.length);
  return { theirs: union([...own, ...polled]), confined: union([...confined, ...polled]) };
}

const union = (lists: readonly (readonly number[])[]) => [...new Set(lists.flat())].sort((a, b) => a - b);

/** Threads that never sleep: DPDK's own names, and those of its best-known users. */
const polls = /^(pmd-c\d+|(lcore|dpdk|rte)-(worker|slave)|vpp_wk_\d|reactor_\d)/;

/** Polling threads of programs on the host itself. */
export function pollingThreads(host: Host): Thread[] {
  return host.names('/proc').flatMap((pid) =>
    /^\d+$/.test(pid)
      ? host.names(`/proc/${pid}/task`).flatMap((task) => {
          const folder = `/proc/${pid}/task/${task}`;
          return polls.test(host.read(`${folder}/comm`) ?? '') ? (readThread(host, folder) ?? []) : [];
        })
      : [],
  );
}
