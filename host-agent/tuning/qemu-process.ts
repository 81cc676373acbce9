// SPDX-License-Identifier: Apache-2.0
import { VmcallError } from '../../src/support/errors.js';
import type { Host } from '../host/host.js';
import { readThread, type Scheduling } from '../host/scheduling.js';
import { type Domain, type DomainFacts, type DomainSource, domainFactsSchema } from './domain.js';

const kvmDebugfs = '/sys/kernel/debug/kvm';

/** KVM's debugfs folder of each process's VM, its first (linux: virt/kvm/kvm_main.c, kvm_create_vm_debugfs: `PID-FD`). */
export function kvmFolders(host: Pick<Host, 'names'>): Map<number, string> {
  const folders = new Map<number, string>();
  for (const name of host.names(kvmDebugfs)) {
    const pid = Number(/^(\d+)-/.exec(name)?.[1]);
    if (pid > 0 && !folders.has(pid)) folders.set(pid, `${kvmDebugfs}/${name}`);
  }
  return folders;
}

/** The same of one process. */
export function kvmFolder(host: Pick<Host, 'names'>, pid: number): string | null {
  return kvmFolders(host).get(pid) ?? null;
}

function option(words: readonly string[], name: string): string | null {
  const at = words.findIndex((word) => word === `-${name}` || word === `--${name}`);
  return at < 0 ? null : (words[at + 1] ?? null);
}

/** vCPU number to thread: by KVM's debugfs, else by the names that `-name debug-threads=on` gives (libvirt does). */
function vcpuThreads(host: Host, pid: number): Map<number, number> {
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

/** PCI functions whose VFIO group the process has open (linux: Documentation/driver-api/vfio.rst). */
export function hostdevs(host: Host, pid: number): string[] {
  const groups = host
    .names(`/proc/${pid}/fd`)
    .map((fd) => /^\/dev\/vfio\/(\d+)$/.exec(host.link(`/proc/${pid}/fd/${fd}`) ?? '')?.[1]);
  const addresses = [...new Set(groups)]
    .filter((group) => group !== undefined)
    .flatMap((group) => host.names(`/sys/kernel/iommu_groups/${group}/devices`));
  return addresses.filter((address) =>
    host.link(`/sys/bus/pci/devices/${address}/driver`)?.endsWith('/vfio-pci'),
  );
}

/** A running domain as its QEMU process shows it; settings are changed thread by thread. */
class QemuProcess implements Domain {
  constructor(
    private readonly host: Host,
    private readonly pid: number,
    private readonly name: string,
    private readonly uuid: string | null,
  ) {}

  async facts(): Promise<DomainFacts> {
    const main = readThread(this.host, `/proc/${this.pid}`);
    if (!main) throw this.#ended();
    return domainFactsSchema.parse({
      name: this.name,
      uuid: this.uuid,
      pid: this.pid,
      vcpus: [...vcpuThreads(this.host, this.pid)]
        .sort(([a], [b]) => a - b)
        .map(([vcpu, thread]) => {
          const seen = readThread(this.host, `/proc/${this.pid}/task/${thread}`);
          if (!seen) throw this.#ended();
          return { vcpu, thread, cpus: seen.cpus, scheduling: seen.scheduling };
        }),
      emulatorCpus: main.cpus,
      hostdevs: hostdevs(this.host, this.pid),
    });
  }

  async pinVcpu(vcpu: number, cpus: string): Promise<void> {
    this.host.setAffinity(this.#thread(vcpu), cpus);
  }

  async pinEmulator(cpus: string): Promise<void> {
    const vcpus = [...vcpuThreads(this.host, this.pid).values()];
    for (const task of this.host.names(`/proc/${this.pid}/task`)) {
      const name = this.host.read(`/proc/${this.pid}/task/${task}/comm`);
      if (name === null || name.startsWith('IO ') || vcpus.includes(Number(task))) continue;
      this.host.setAffinity(Number(task), cpus);
    }
  }

  async setVcpuScheduling(vcpu: number, scheduling: Scheduling): Promise<void> {
    this.host.setScheduling(this.#thread(vcpu), scheduling);
  }

  #thread(vcpu: number): number {
    const thread = vcpuThreads(this.host, this.pid).get(vcpu);
    if (thread === undefined)
      throw new VmcallError('NO_VCPU', `${this.name} has no vCPU ${vcpu}`, 'Name one that it has.');
    return thread;
  }

  #ended(): VmcallError {
    return new VmcallError('DOMAIN_ENDED', `${this.name} ended while it was read`, 'Start it and try again.');
  }
}

/** Domains among this host's QEMU processes, by what their command lines say. */
export class QemuProcesses implements DomainSource {
  constructor(private readonly host: Host) {}

  async find(domain: string): Promise<Domain | null> {
    for (const entry of this.host.names('/proc')) {
      if (!/^\d+$/.test(entry) || !this.host.read(`/proc/${entry}/comm`)?.startsWith('qemu')) continue;
      const words = (this.host.read(`/proc/${entry}/cmdline`) ?? '').split('\0');
      const nameOption = option(words, 'name') ?? '';
      const name = /(?:^|,)guest=([^,]*)/.exec(nameOption)?.[1] ?? nameOption.split(',')[0] ?? '';
      const uuid = option(words, 'uuid');
      if (domain === name || domain === uuid || domain === entry)
        return new QemuProcess(this.host, Number(entry), name || entry, uuid);
    }
    return null;
  }
}
