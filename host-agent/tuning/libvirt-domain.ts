// SPDX-License-Identifier: Apache-2.0
import { VmcallError } from '../../src/support/errors.js';
import type { Scheduling } from '../host/scheduling.js';
import { type Connection, openConnection } from '../native/connection.js';
import type { Domain } from '../native/domain.js';
import { LibvirtError } from '../native/error.js';
import { parseCpus } from './cpu-set.js';
import type { DomainSource, TunedDomain, TunedDomainFacts } from './domain.js';

/** A running domain that is pinned through libvirt, so that what libvirt says of it stays true; facts are its threads'. */
class PinnedByLibvirt implements TunedDomain {
  constructor(
    private readonly uri: string,
    private readonly process: TunedDomain,
    private readonly uuid: string,
  ) {}

  /** libvirt sets its cpusets as it pins, and knows no thread of the emulator apart. */
  async facts(): Promise<TunedDomainFacts> {
    return { ...(await this.process.facts()), cpuset: null, ownCpus: [] };
  }

  pinVcpu(vcpu: number, cpus: string): Promise<void> {
    return this.#ask((domain) => domain.pinVcpu(vcpu, parseCpus(cpus), 'live'));
  }

  pinEmulator(cpus: string): Promise<void> {
    return this.#ask((domain) => domain.pinEmulator(parseCpus(cpus), 'live'));
  }

  /** libvirt applies `<vcpusched>` only at start. */
  setVcpuScheduling(vcpu: number, scheduling: Scheduling): Promise<void> {
    return this.process.setVcpuScheduling(vcpu, scheduling);
  }

  async #ask(work: (domain: Domain) => Promise<void>): Promise<void> {
    let connection: Connection | undefined;
    try {
      connection = await openConnection(this.uri);
      await work(await connection.domainByUuid(this.uuid));
    } catch (cause) {
      if (!(cause instanceof LibvirtError)) throw cause;
      throw new VmcallError(
        'LIBVIRT_FAILED',
        `libvirt at ${this.uri} did not pin ${this.uuid}: ${cause.message.slice(0, 2000)}`,
        'Is --connect the libvirt that runs the domain? Without it, the threads themselves are pinned',
        undefined,
        { cause },
      );
    } finally {
      await connection?.close();
    }
  }
}

/** The domains of another source, where libvirt runs them pinned through it. */
export class LibvirtDomains implements DomainSource {
  constructor(
    private readonly uri: string,
    private readonly processes: DomainSource,
  ) {}

  async find(domain: string): Promise<TunedDomain | null> {
    return this.#pinned(await this.processes.find(domain));
  }

  async named(name: string): Promise<TunedDomain | null> {
    return this.#pinned(await this.processes.named(name));
  }

  async #pinned(process: TunedDomain | null): Promise<TunedDomain | null> {
    const uuid = process && (await process.facts()).uuid;
    return process && uuid ? new PinnedByLibvirt(this.uri, process, uuid) : process;
  }
}
