// SPDX-License-Identifier: Apache-2.0
import type { NativeDomain } from './addon.js';
import type { CallLine } from './call-line.js';
import type { DomainIdentity } from './events.js';
import type {
  Affect,
  Affected,
  DomainState,
  SchedulerParameters,
  Stats,
  StatsGroup,
  TypedParameters,
  Vcpu,
} from './types.js';

/**
 * A libvirt domain. Each call runs in a thread of the addon and rejects with a LibvirtError; with a TypeError
 * for an argument out of its bounds; with a VmcallError `LIBVIRT_CLOSED` after close(), and
 * `LIBVIRT_TOO_MANY_CALLS` while 1024 are under way. The calls of one connection and its domains run one after the other
 * (call-line.ts). A call cannot be cancelled; the loss of libvirtd ends it.
 */
export class Domain implements DomainIdentity {
  readonly name: string;
  readonly uuid: string;
  /** As of the look-up; null if the domain did not run then. */
  readonly id: number | null;
  readonly #native: NativeDomain;
  readonly #line: CallLine;

  constructor(native: NativeDomain, line: CallLine) {
    this.name = native.name;
    this.uuid = native.uuid;
    this.id = native.id;
    this.#native = native;
    this.#line = line;
  }

  /** Gives the handle back; the domain itself goes on. Calls under way end as they would. Never fails. */
  async close(): Promise<void> {
    this.#native.close();
  }

  state(): Promise<DomainState> {
    return this.#line.call(() => this.#native.state());
  }

  /** The XML of the running domain if it runs, of its persistent definition else or if `inactive` is set. */
  xml({ inactive = false } = {}): Promise<string> {
    return this.#line.call(() => this.#native.xml(inactive));
  }

  /** The metadata element of namespace `uri`; rejects with `errorNumber.noDomainMetadata` without one. */
  metadata(uri: string, affect: Affect = 'current'): Promise<string> {
    return this.#line.call(() => this.#native.metadata(uri, affect));
  }

  /**
   * Sets the metadata element of namespace `uri` to `xml` (one element without its namespace, 4 MiB at most),
   * written with `prefix`; null removes it.
   */
  setMetadata(uri: string, prefix: string, xml: string | null, affect: Affected = 'current'): Promise<void> {
    return this.#line.call(() => this.#native.setMetadata(uri, prefix, xml, affect));
  }

  /** Attaches the device described by `xml`, e.g. a `<hostdev>`. */
  attachDevice(xml: string, affect: Affected = 'current'): Promise<void> {
    return this.#line.call(() => this.#native.attachDevice(xml, affect));
  }

  /**
   * Detaches the device described by `xml`. A guest gives a live device back when it likes: libvirt waits
   * some seconds and then reports success all the same, so read the XML to know.
   */
  detachDevice(xml: string, affect: Affected = 'current'): Promise<void> {
    return this.#line.call(() => this.#native.detachDevice(xml, affect));
  }

  /** Statistics that can be had without waiting for a job of the domain. */
  stats(groups: readonly StatsGroup[]): Promise<Stats> {
    return this.#line.call(() => this.#native.stats(groups));
  }

  /** Boots the defined domain. */
  start(): Promise<void> {
    return this.#line.call(() => this.#native.start());
  }

  /** Ends the domain at once, as pulling its plug would. */
  destroy(): Promise<void> {
    return this.#line.call(() => this.#native.destroy());
  }

  suspend(): Promise<void> {
    return this.#line.call(() => this.#native.suspend());
  }

  resume(): Promise<void> {
    return this.#line.call(() => this.#native.resume());
  }

  /** Takes away the persistent definition; a running domain goes on until it ends. */
  undefine(): Promise<void> {
    return this.#line.call(() => this.#native.undefine());
  }

  /** The vCPUs of a running domain. */
  vcpus(): Promise<Vcpu[]> {
    return this.#line.call(() => this.#native.vcpus());
  }

  /** For each vCPU, the pCPUs it may run on. */
  vcpuPins(affect: Affect = 'current'): Promise<number[][]> {
    return this.#line.call(() => this.#native.vcpuPins(affect));
  }

  /** Lets a vCPU run on `cpus` only: pCPU numbers from 0 to 16383, at least one. */
  pinVcpu(vcpu: number, cpus: readonly number[], affect: Affected = 'current'): Promise<void> {
    return this.#line.call(() => this.#native.pinVcpu(vcpu, cpus, affect));
  }

  /** The pCPUs that the emulator's threads, all but vCPUs and I/O threads, may run on. */
  emulatorPin(affect: Affect = 'current'): Promise<number[]> {
    return this.#line.call(() => this.#native.emulatorPin(affect));
  }

  /** Lets the emulator's threads run on `cpus` only, as for pinVcpu(). */
  pinEmulator(cpus: readonly number[], affect: Affected = 'current'): Promise<void> {
    return this.#line.call(() => this.#native.pinEmulator(cpus, affect));
  }

  schedulerParameters(affect: Affect = 'current'): Promise<SchedulerParameters> {
    return this.#line.call(() => this.#native.schedulerParameters(affect));
  }

  /**
   * Sets some of the parameters that schedulerParameters() gives. A number does for a 64-bit parameter. A
   * value that the parameter cannot hold exactly rejects with `errorNumber.invalidArgument`, as does an
   * unknown name.
   */
  setSchedulerParameters(values: TypedParameters, affect: Affected = 'current'): Promise<void> {
    return this.#line.call(() => this.#native.setSchedulerParameters(values, affect));
  }
}
