// SPDX-License-Identifier: Apache-2.0
import { basename } from 'node:path';
import { describeError, VmcallError } from '../../src/support/errors.js';
import type { Host } from '../host/host.js';
import { parseCommandLine } from '../host/qemu-command-line.js';
import { kvmDebugfs, kvmFolder, kvmFolders, kvmSysfs } from '../host/qemu-process.js';
import type { DomainIdentity } from '../native/events.js';
import type { Switches } from './demands.js';
import type { KvmSeen } from './seen.js';

const switches = ['vcpu_yield', 'irqfd_hardirq'] as const;
/** Per vCPU in KVM; in the VM's own folder their sum. */
const counter = 'vcpu_yields';
/** Only reported: nothing is decided by it. */
const ringsCounter = 'doorbell_rings';

/**
 * The reconciler's one way into the kernel: the two switches of a VM and KVM's count of its VM calls. They are files in
 * sysfs, which a locked-down kernel lets root write. What is written there holds, whatever the VMM asks KVM for.
 */
export class KvmSwitches {
  /** By domain's UUID, as they were last listed: a host has as many as it has VMs, and each is looked for at each look. */
  #folders: ReadonlyMap<string, string> = new Map();
  /** By domain's UUID, where it was seen as the domain of which number: restarted it has another. */
  readonly #seen = new Map<string, { id: number | null; folder: string }>();

  constructor(private readonly host: Pick<Host, 'read' | 'names' | 'exists' | 'write'>) {}

  /**
   * Of a running domain. Never fails: what cannot be read is `absent`, with the reason. As long as its folder is where
   * it was, the domain's process is not asked for again.
   */
  see({ uuid, id }: Pick<DomainIdentity, 'uuid' | 'id'>): KvmSeen {
    try {
      const before = this.#seen.get(uuid);
      const again = before && before.id === id ? this.#read(before.folder) : undefined;
      if (again?.support === 'present') return again;
      const folder = this.#folder(uuid, before?.folder);
      this.#seen.set(uuid, { id, folder });
      return this.#read(folder);
    } catch (error) {
      return {
        support: 'absent',
        why: (error instanceof VmcallError ? error.message : describeError(error)).slice(0, 2000),
      };
    }
  }

  /**
   * Sets both switches. Both are tried whatever becomes of the first, so that switching off leaves as little on as can be.
   * @throws VmcallError KVM_VM_ABSENT, HOST_READ, HOST_WRITE
   */
  set(uuid: string, { vcpuYield, irqfdHardirq }: Switches): void {
    const folder = this.#folder(uuid);
    if (!isOurs(folder)) throw absent(`KVM is without the series, or with an older one: no ${kvmSysfs}`);
    let failure: unknown;
    const wanted = { vcpu_yield: vcpuYield, irqfd_hardirq: irqfdHardirq };
    for (const file of switches) {
      try {
        this.host.write(`${folder}/${file}`, wanted[file] ? '1' : '0');
      } catch (error) {
        failure ??= error;
      }
    }
    if (failure) throw failure;
  }

  /** Process of a running domain, and its VM's folder in KVM's debugfs. @throws VmcallError KVM_VM_ABSENT */
  place(uuid: string): { pid: number; folder: string } {
    const pid = Number(basename(this.#folder(uuid)).split('-')[0]);
    const folder = kvmFolder(this.host, pid);
    if (folder === null) throw absent(`KVM shows no VM of process ${pid} in ${kvmDebugfs}`);
    return { folder, pid };
  }

  #read(folder: string): KvmSeen {
    // An older series had such files in debugfs, and other numbers for the guest.
    if (!isOurs(folder)) return { support: 'unsupported', missing: [kvmSysfs] };
    const values = [...switches, counter].map((file) => [file, this.host.read(`${folder}/${file}`)] as const);
    const missing = values.filter(([, value]) => value === null).map(([file]) => file);
    if (missing.length > 0) return { support: 'unsupported', missing };
    const [vcpuYield, irqfdHardirq, yields] = values.map(([file, value]) =>
      number(`${folder}/${file}`, value ?? ''),
    );
    const rings = this.host.read(`${folder}/${ringsCounter}`);
    return {
      support: 'present',
      vcpuYield: vcpuYield !== 0,
      irqfdHardirq: irqfdHardirq !== 0,
      yields: yields ?? 0,
      ...(rings !== null && { rings: number(`${folder}/${ringsCounter}`, rings) }),
    };
  }

  /** @param stale where it was and is no more: restarted it is another */
  #folder(uuid: string, stale?: string): string {
    const known = this.#folders.get(uuid);
    if (known !== undefined && known !== stale && this.host.exists(known)) return known;
    this.#list();
    const folder = this.#folders.get(uuid);
    if (folder === undefined)
      throw absent(
        `KVM shows no VM in ${this.#home()} whose process was started with -uuid ${uuid}: no KVM guest, or debugfs is not mounted`,
      );
    return folder;
  }

  /** Where KVM has its VMs; without the series in debugfs alone. */
  #home(): string {
    return this.host.exists(kvmSysfs) ? kvmSysfs : kvmDebugfs;
  }

  /** A name may be another domain's tomorrow; a UUID is in the words of its QEMU (libvirt: qemuBuildCommandLine). */
  #list(): void {
    const folders = new Map<string, string>();
    for (const [pid, folder] of kvmFolders(this.host, this.#home())) {
      const words = (this.host.read(`/proc/${pid}/cmdline`) ?? '').split('\0');
      const { uuid } = parseCommandLine(words);
      if (uuid === null) continue;
      if (folders.has(uuid))
        throw absent(
          `two processes say -uuid ${uuid}: ${basename(folders.get(uuid) ?? '')}, ${basename(folder)}`,
        );
      folders.set(uuid, folder);
    }
    this.#folders = folders;
    // None of a domain that is gone is kept forever.
    for (const uuid of this.#seen.keys()) if (!folders.has(uuid)) this.#seen.delete(uuid);
  }
}

const isOurs = (folder: string) => folder.startsWith(`${kvmSysfs}/`);

function number(file: string, text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw absent(`${file} holds ${JSON.stringify(text.slice(0, 40))}, no number`);
  return Number(text);
}

const absent = (what: string) =>
  new VmcallError('KVM_VM_ABSENT', what, 'Run the host agent as root on the host, with debugfs mounted');
