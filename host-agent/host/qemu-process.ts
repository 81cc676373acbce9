// SPDX-License-Identifier: Apache-2.0
import type { Called } from '../../src/support/called.js';
import type { Host } from './host.js';
import { libvirtStatus } from './libvirt-status.js';
import { isEmulator, parseCommandLine } from './qemu-command-line.js';
import { heldDevices, type NamedDevices } from './vfio-devices.js';

/** Of each VM the vCPUs' threads and clocks (linux: virt/kvm/kvm_main.c, kvm_create_vm_debugfs: `PID-FD`). */
export const kvmDebugfs = '/sys/kernel/debug/kvm';
/** Of each VM the series' switches and counters, `PID-N` (kernel-patches/docs/switching.md). */
export const kvmSysfs = '/sys/kernel/kvm';

/** KVM's folder of each process's VM, its first. */
export function kvmFolders(host: Pick<Host, 'names'>, home = kvmDebugfs): Map<number, string> {
  const folders = new Map<number, string>();
  for (const name of host.names(home)) {
    const pid = Number(/^(\d+)-/.exec(name)?.[1]);
    if (pid > 0 && !folders.has(pid)) folders.set(pid, `${home}/${name}`);
  }
  return folders;
}

/** The same of one process. */
export function kvmFolder(host: Pick<Host, 'names'>, pid: number, home = kvmDebugfs): string | null {
  return kvmFolders(host, home).get(pid) ?? null;
}

/** vCPU number to thread: by KVM's debugfs, else by the names that `-name debug-threads=on` gives (libvirt does). */
export function vcpuThreads(host: Host, pid: number): Map<number, number> {
  const threads = new Map<number, number>();
  const folder = kvmFolder(host, pid);
  for (const entry of folder === null ? [] : host.names(folder)) {
    const vcpu = /^vcpu(\d+)$/.exec(entry)?.[1];
    const thread = vcpu === undefined ? null : host.read(`${folder}/${entry}/pid`);
    if (vcpu !== undefined && thread !== null) threads.set(Number(vcpu), Number(thread));
  }
  if (threads.size > 0) return threads;
  for (const task of host.names(`/proc/${pid}/task`)) {
    const vcpu = /^CPU (\d+)\/KVM$/.exec(host.read(`/proc/${pid}/task/${task}/comm`) ?? '')?.[1];
    if (vcpu !== undefined) threads.set(Number(vcpu), Number(task));
  }
  return threads;
}

/** PCI functions that the process holds, as far as they are sure. */
export const hostdevs = (host: Host, pid: number): string[] =>
  heldDevices(host, pid, namedDevices(host, pid)).functions;

/** What the process has open of VFIO: PCI functions that are its for sure, those that may be, mediated devices. */
export function devices(host: Host, pid: number) {
  const { functions, ...rest } = heldDevices(host, pid, namedDevices(host, pid));
  return { hostdevs: functions, ...rest };
}

/** What libvirt has given it; without libvirt what it was started with. */
function namedDevices(host: Host, pid: number): NamedDevices {
  const note = libvirtStatus(host).get(pid)?.hostdevs;
  return { devices: note ?? readCommandLine(host, pid).vfio, isNow: note !== undefined };
}

const readCommandLine = (host: Host, pid: number) =>
  parseCommandLine((host.read(`/proc/${pid}/cmdline`) ?? '').split('\0'));

/** A running VM, and all that it is called by. */
export interface Vm extends Called {
  pid: number;
}

/** Every VM of QEMU on this host, however it was started. */
export function qemuVms(host: Host): Vm[] {
  const kvm = kvmFolders(host);
  const managed = libvirtStatus(host);
  return host
    .names('/proc')
    .filter((entry) => /^\d+$/.test(entry) && isQemu(host, Number(entry), kvm))
    .map((entry) => {
      const pid = Number(entry);
      const words = readCommandLine(host, pid);
      const status = managed.get(pid);
      // libvirt's scope of a machine: machine-qemu\\x2dID\\x2dNAME.scope.
      const scope = /machine-qemu(?:\\x2d|-)(\d+)(?:\\x2d|-)/.exec(
        host.read(`/proc/${pid}/cgroup`) ?? '',
      )?.[1];
      const ids = [status?.id, ...words.ids, scope].filter((id) => id !== undefined);
      const uuid = status?.uuid ?? words.uuid;
      return { pid, name: status?.name ?? words.name ?? entry, uuid, ids: [...new Set(ids)] };
    });
}

/** A QEMU by another name has still QEMU's words. */
const options = /\0--?(name|machine|accel|enable-kvm|device)\0/;

/**
 * By the program that it calls itself by; where that is another (a wrapper's, a loader's), by QEMU's words and the file
 * that it runs or a VM of KVM's.
 */
function isQemu(host: Host, pid: number, kvm: ReadonlyMap<number, string>): boolean {
  const text = host.read(`/proc/${pid}/cmdline`) ?? '';
  // A kernel thread has no words.
  const [program = ''] = text.split('\0');
  if (isEmulator(program)) return true;
  return options.test(text) && (kvm.has(pid) || isEmulator(host.link(`/proc/${pid}/exe`) ?? ''));
}
