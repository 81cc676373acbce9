// SPDX-License-Identifier: Apache-2.0

import type { Host } from '../host/host.js';
import { readThread, type Thread } from '../host/scheduling.js';
import { parseCpus } from './cpu-set.js';
import { qemuVms, type Vm, vcpuThreads } from './qemu-process.js';

/** A thread of a VM that wants a CPU: which, and of whom. */
export interface VmThread {
  vm: Vm;
  kind: 'vcpu' | 'iothread' | 'vhost';
  /** Of a vCPU. */
  vcpu: number | null;
  thread: Thread;
  cpus: readonly number[];
}

/** QEMU names them so: `IO iothread1` (qemu: iothread.c); Proxmox's and others' by `-object iothread,id=`. */
const isIoThread = (name: string) => name.startsWith('IO ');

/** Of vhost-net: a thread of QEMU's since 6.4, before a kernel thread named by QEMU's process (linux: drivers/vhost/vhost.c). */
const vhostOf = (name: string) => /^vhost-(\d+)/.exec(name)?.[1];

/** Threads of every VM on this host that take CPU time for the guest. */
export function vmThreads(host: Host): VmThread[] {
  const vms = qemuVms(host);
  const found = vms.flatMap((vm) => {
    const vcpus = new Map([...vcpuThreads(host, vm.pid)].map(([vcpu, thread]) => [thread, vcpu]));
    return host.names(`/proc/${vm.pid}/task`).flatMap((task): VmThread[] => {
      const thread = readThread(host, `/proc/${vm.pid}/task/${task}`);
      if (!thread) return [];
      const vcpu = vcpus.get(Number(task)) ?? null;
      const kind =
        vcpu !== null ? 'vcpu' : isIoThread(thread.name) ? 'iothread' : vhostOf(thread.name) ? 'vhost' : null;
      return kind === null ? [] : [{ vm, kind, vcpu, thread, cpus: parseCpus(thread.cpus) }];
    });
  });
  return [...found, ...kernelVhosts(host, vms)];
}

function kernelVhosts(host: Host, vms: readonly Vm[]): VmThread[] {
  const byPid = new Map(vms.map((vm) => [String(vm.pid), vm]));
  return host.names('/proc').flatMap((entry): VmThread[] => {
    if (!/^\d+$/.test(entry) || byPid.has(entry)) return [];
    const vm = byPid.get(vhostOf(host.read(`/proc/${entry}/comm`) ?? '') ?? '');
    const thread = vm && readThread(host, `/proc/${entry}`);
    return thread ? [{ vm, kind: 'vhost', vcpu: null, thread, cpus: parseCpus(thread.cpus) }] : [];
  });
}

/** The CPUs that other VMs' vCPUs are pinned to: one each, or within what is set apart from ordinary work. */
export function othersCpus(
  threads: readonly VmThread[],
  pid: number | null,
  apart: readonly number[],
): number[] {
  const pinned = threads.filter(
    ({ vm, kind, cpus }) =>
      vm.pid !== pid && kind === 'vcpu' && (cpus.length === 1 || cpus.every((cpu) => apart.includes(cpu))),
  );
  return [...new Set(pinned.flatMap(({ cpus }) => cpus))].sort((a, b) => a - b);
}
