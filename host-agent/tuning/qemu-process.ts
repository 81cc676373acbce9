// SPDX-License-Identifier: Apache-2.0
import { called } from '../../src/support/called.js';
import { VmcallError } from '../../src/support/errors.js';
import type { Host } from '../host/host.js';
import { devices, qemuVms, type Vm, vcpuThreads } from '../host/qemu-process.js';
import type { Scheduling } from '../host/scheduling.js';
import { readThread } from '../host/thread.js';
import { formatCpus, parseCpus } from './cpu-set.js';
import { allowedCpus } from './cpusets.js';
import {
  type DomainSource,
  type TunedDomain,
  type TunedDomainFacts,
  tunedDomainFactsSchema,
} from './domain.js';

/** A running domain as its QEMU process shows it; settings are changed thread by thread. */
class QemuProcess implements TunedDomain {
  readonly #pid: number;
  readonly #name: string;

  constructor(
    private readonly host: Host,
    private readonly vm: Vm,
  ) {
    this.#pid = vm.pid;
    this.#name = vm.name;
  }

  async facts(): Promise<TunedDomainFacts> {
    const main = readThread(this.host, `/proc/${this.#pid}`);
    if (!main) throw this.#ended();
    const vcpus = [...vcpuThreads(this.host, this.#pid)]
      .sort(([a], [b]) => a - b)
      .map(([vcpu, thread]) => {
        const seen = readThread(this.host, `/proc/${this.#pid}/task/${thread}`);
        if (!seen) throw this.#ended();
        return { vcpu, thread, cpus: seen.cpus, scheduling: seen.scheduling };
      });
    // A worker that a pinned vCPU started has its CPU from there (man sched_setaffinity(2)): nobody put it there.
    const inherited = vcpus.map(({ cpus }) => cpus).filter((cpus) => parseCpus(cpus).length === 1);
    return tunedDomainFactsSchema.parse({
      name: this.#name,
      uuid: this.vm.uuid,
      pid: this.#pid,
      vcpus,
      emulatorCpus: main.cpus,
      ownCpus: this.#emulatorThreads().filter((task) => {
        const seen = readThread(this.host, `/proc/${this.#pid}/task/${task}`);
        if (!seen || seen.cpus === main.cpus) return false;
        return seen.name.startsWith('vhost-') || !inherited.includes(seen.cpus);
      }),
      cpuset: formatCpus(allowedCpus(this.host, this.#pid) ?? []) || null,
      ...devices(this.host, this.#pid),
    });
  }

  async pinVcpu(vcpu: number, cpus: string): Promise<void> {
    this.host.setAffinity(this.#thread(vcpu), cpus);
  }

  async pinEmulator(cpus: string, spared: readonly number[]): Promise<void> {
    for (const task of this.#emulatorThreads()) if (!spared.includes(task)) this.host.setAffinity(task, cpus);
  }

  #emulatorThreads(): number[] {
    const vcpus = [...vcpuThreads(this.host, this.#pid).values()];
    return this.host
      .names(`/proc/${this.#pid}/task`)
      .map(Number)
      .filter((task) => {
        const name = this.host.read(`/proc/${this.#pid}/task/${task}/comm`);
        return name !== null && !name.startsWith('IO ') && !vcpus.includes(task);
      });
  }

  async setVcpuScheduling(vcpu: number, scheduling: Scheduling): Promise<void> {
    this.host.setScheduling(this.#thread(vcpu), scheduling);
  }

  #thread(vcpu: number): number {
    const thread = vcpuThreads(this.host, this.#pid).get(vcpu);
    if (thread === undefined)
      throw new VmcallError('NO_VCPU', `${this.#name} has no vCPU ${vcpu}`, 'Name one that it has.');
    return thread;
  }

  #ended(): VmcallError {
    return new VmcallError(
      'DOMAIN_ENDED',
      `${this.#name} ended while it was read`,
      'Start it and try again.',
    );
  }
}

/** Domains among this host's QEMU processes. */
export class QemuProcesses implements DomainSource {
  constructor(private readonly host: Host) {}

  async find(domain: string): Promise<TunedDomain | null> {
    const vms = qemuVms(this.host);
    const vm = called(vms, domain, (one) => one) ?? vms.find(({ pid }) => String(pid) === domain);
    return vm ? new QemuProcess(this.host, vm) : null;
  }

  async named(name: string): Promise<TunedDomain | null> {
    const nameOnly = (vm: Vm) => ({ ...vm, ids: [], uuid: null });
    const vm = called(qemuVms(this.host), name, nameOnly);
    return vm ? new QemuProcess(this.host, vm) : null;
  }
}
