// SPDX-License-Identifier: Apache-2.0
import { loadAddon, type NativeConnection } from './addon.js';
import { CallLine } from './call-line.js';
import { Domain } from './domain.js';
import { result } from './error.js';
import type { ConnectionEvent } from './events.js';
import type { Stats, StatsGroup } from './types.js';

export interface ConnectionOptions {
  /** Refuse each change, as `virsh --readonly`. */
  readOnly?: boolean;
  /**
   * Called with the events of the connection and of all its domains until close(), from before the connection is
   * handed out. At most 1024 wait; then come a `lost` event and what follows it.
   */
  onEvent?: (event: ConnectionEvent) => void;
}

/**
 * Opens a connection to a hypervisor by its libvirt URI, e.g. `qemu:///system`, as in `virsh -c`. Calls under
 * way keep the process alive; an open connection, listened to or not, does not. A libvirtd that stops
 * answering is given up after 30 s, and every call on the connection fails; until the connection is open
 * there is no such limit.
 */
export async function openConnection(
  uri: string,
  { readOnly = false, onEvent }: ConnectionOptions = {},
): Promise<Connection> {
  const addon = loadAddon();
  // In a task of its own, so that what the listener throws is an uncaught exception as anywhere else.
  const listener = onEvent ? (event: ConnectionEvent) => queueMicrotask(() => onEvent(event)) : null;
  return new Connection(await result(() => addon.open(uri, readOnly, listener)));
}

/** An open connection. Calls reject as those of Domain do. */
export class Connection {
  readonly #native: NativeConnection;
  readonly #line = new CallLine();
  #closing: Promise<void> | undefined;

  constructor(native: NativeConnection) {
    this.#native = native;
  }

  /**
   * Closes the connection and all its domains: later calls are refused and no event comes any more. Resolves
   * when the calls under way have ended and libvirt has let the connection go.
   */
  close(): Promise<void> {
    this.#closing ??= result(() => this.#native.close());
    return this.#closing;
  }

  /** The XML of what the host and the hypervisor are capable of. */
  capabilities(): Promise<string> {
    return this.#line.call(() => this.#native.capabilities());
  }

  /** Every domain, running or only defined. */
  async domains(): Promise<Domain[]> {
    const domains = await this.#line.call(() => this.#native.domains());
    return domains.map((native) => new Domain(native, this.#line));
  }

  /** Rejects with `errorNumber.noDomain` if there is none, as the other two look-ups do. */
  async domainByName(name: string): Promise<Domain> {
    return new Domain(await this.#line.call(() => this.#native.domainByName(name)), this.#line);
  }

  /** `id`: that of a running domain. */
  async domainById(id: number): Promise<Domain> {
    return new Domain(await this.#line.call(() => this.#native.domainById(id)), this.#line);
  }

  async domainByUuid(uuid: string): Promise<Domain> {
    return new Domain(await this.#line.call(() => this.#native.domainByUuid(uuid)), this.#line);
  }

  /** Defines a persistent domain, or changes the one of the same name and UUID; `xml` is validated. */
  async defineDomain(xml: string): Promise<Domain> {
    return new Domain(await this.#line.call(() => this.#native.defineDomain(xml)), this.#line);
  }

  /** Statistics of every domain, of each what can be had without waiting for a job of it. */
  stats(groups: readonly StatsGroup[]): Promise<Stats[]> {
    return this.#line.call(() => this.#native.stats(groups));
  }
}
