// SPDX-License-Identifier: Apache-2.0
import { EventEmitter } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import type { DesiredPath } from '../../src/protocol/fields.js';
import { BackOff } from '../../src/support/back-off.js';
import { describeError, VmcallError } from '../../src/support/errors.js';
import type { Log } from '../../src/support/log.js';
import { Places } from '../../src/support/places.js';
import { type Connection, openConnection } from '../native/connection.js';
import type { Domain } from '../native/domain.js';
import { errorNumber, LibvirtError } from '../native/error.js';
import type { ConnectionEvent, DomainIdentity } from '../native/events.js';
import { DomainHandles } from './domain-handles.js';
import { formatDesired, metadataPrefix, metadataUri, parseDesired } from './metadata.js';

/** `off`: it does not run. `paused`: nothing in it can answer. */
export type RunState = 'running' | 'paused' | 'off';

/** What a domain's metadata says of its path. */
export interface Desired {
  /** `default`: the metadata has nothing of ours. `invalid`: what it has cannot be used. */
  desired: { path: DesiredPath; source: 'metadata' | 'default' | 'invalid' };
  /** What is wrong with our metadata, for people. */
  problem: string | null;
}

/** Our metadata in the running and the persistent definition: its text, null for none; absent without such a definition. */
export interface DesiredMetadata {
  live?: string | null | undefined;
  config?: string | null | undefined;
}

/** What libvirt knows of one domain. */
export interface DomainFacts extends Desired {
  identity: DomainIdentity;
  domain: RunState;
}

/** `started`: it runs in another process now; `stopped`: in none; `metadata`: only ours changed. */
export type DomainChange = 'started' | 'stopped' | 'metadata' | 'other';

interface LibvirtEvents {
  /** Connected, or events were lost: everything may have changed. */
  anew: [];
  /** This domain may have changed. */
  domain: [uuid: string, change: DomainChange];
  disconnected: [];
}

/** From a metadata event to the look it causes, ms. */
const settleMs = 20;
/** Of two calls each: the addon has 16 threads (native/executor.cc). More at once only wait there. */
const looksMost = 8;

/** Keeps a connection to libvirt, and reconnects after each loss, and reads and writes the desired state there. */
export class Libvirt extends EventEmitter<LibvirtEvents> {
  readonly #stop = new AbortController();
  readonly #backOff = new BackOff(500, 10_000);
  readonly #changed = new Set<string>();
  /** Looks under way, and those that wait for one to end. */
  readonly #places = new Places(looksMost);
  readonly #handles = new DomainHandles((uuid) => this.#open().domainByUuid(uuid));
  #connection: Connection | undefined;
  #running: Promise<void> | undefined;
  /** Logged already: a libvirtd that stays away must not flood the log. */
  #refusal: string | undefined;

  constructor(
    readonly uri: string,
    private readonly log: Log,
  ) {
    super();
  }

  get connected(): boolean {
    return this.#connection !== undefined;
  }

  start(): void {
    this.#running ??= this.#run();
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  /** @throws VmcallError LIBVIRT_UNREACHABLE; LibvirtError */
  async domains(): Promise<DomainIdentity[]> {
    const domains = await this.#open().domains();
    for (const domain of domains) void domain.close();
    return domains.map(({ name, uuid, id }) => ({ name, uuid, id }));
  }

  /** Undefined if there is no such domain any more. @throws VmcallError LIBVIRT_UNREACHABLE; LibvirtError */
  read(uuid: string): Promise<DomainFacts | undefined> {
    return this.#with(uuid, async (domain) => {
      const [{ state }, desired] = await Promise.all([domain.state(), readDesired(domain)]);
      const { name, id } = domain;
      return { identity: { name, uuid, id }, domain: domainState(state), ...desired };
    });
  }

  /** Only what our metadata says; undefined as for read(). @throws as it does */
  readDesired(uuid: string): Promise<Desired | undefined> {
    return this.#with(uuid, readDesired);
  }

  /**
   * Writes the desired path where the domain keeps it: both the running and the persistent one.
   * @param path null takes what was written there away
   * @returns false if there is no such domain any more
   * @throws VmcallError LIBVIRT_UNREACHABLE; LibvirtError
   */
  async setDesired(uuid: string, path: DesiredPath | null): Promise<boolean> {
    const element = path === null ? null : formatDesired(path);
    const written = await this.#with(uuid, async (domain) => {
      const set = (affect: 'current' | 'config' | 'live+config') =>
        domain.setMetadata(metadataUri, metadataPrefix, element, affect);
      try {
        await set(domain.id === null ? 'config' : 'live+config');
      } catch (error) {
        // A transient domain has no persistent definition (libvirt: virDomainObjUpdateModificationImpact).
        if (!(error instanceof LibvirtError) || error.code !== errorNumber.operationInvalid) throw error;
        await set('current');
      }
      return true;
    });
    return written ?? false;
  }

  /** Our metadata as it stands, in each of the domain's definitions; undefined as for read(). @throws as it does */
  readDesiredMetadata(uuid: string): Promise<DesiredMetadata | undefined> {
    return this.#with(uuid, async (domain) => {
      const [live, config] = await Promise.all([
        domain.id === null ? undefined : readElement(domain, 'live'),
        readElement(domain, 'config').catch(ifTransient),
      ]);
      return { live, config };
    });
  }

  /**
   * Restores what readDesiredMetadata() read, verbatim. A definition that the domain has no more is left out.
   * @returns false if there is no such domain any more
   * @throws VmcallError LIBVIRT_UNREACHABLE; LibvirtError
   */
  async writeDesiredMetadata(uuid: string, metadata: DesiredMetadata): Promise<boolean> {
    const written = await this.#with(uuid, async (domain) => {
      const set = (element: string | null, affect: 'live' | 'config') =>
        domain.setMetadata(metadataUri, metadataPrefix, element, affect);
      if (metadata.live !== undefined && domain.id !== null) await set(metadata.live, 'live');
      if (metadata.config !== undefined) await set(metadata.config, 'config').catch(ifTransient);
      return true;
    });
    return written ?? false;
  }

  async #with<T>(uuid: string, work: (domain: Domain) => Promise<T>): Promise<T | undefined> {
    await this.#places.take();
    try {
      return await this.#handles.use(uuid, work);
    } catch (error) {
      if (error instanceof LibvirtError && error.code === errorNumber.noDomain) return undefined;
      throw error;
    } finally {
      // In another turn: answers that come meanwhile are taken in this one (node: src/node_api.cc, kMaxIterationCount),
      // and each brings the next call. A thousand domains in one turn would keep all else waiting.
      setImmediate(() => this.#places.give());
    }
  }

  #open(): Connection {
    if (this.#connection) return this.#connection;
    throw new VmcallError(
      'LIBVIRT_UNREACHABLE',
      `the host agent has no connection to libvirt at ${this.uri}`,
      'Does libvirtd run? Is libvirt.uri of the configuration right? The log says why it was refused',
    );
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      try {
        await this.#once();
      } catch (error) {
        const why = describeError(error instanceof LibvirtError ? error.message : error);
        if (why !== this.#refusal) this.log.warn({ uri: this.uri, why }, 'libvirt cannot be reached');
        this.#refusal = why;
      }
      if (!signal.aborted) await delay(this.#backOff.next(), undefined, { signal }).catch(() => {});
    }
  }

  /** One connection from its beginning to its end. */
  async #once(): Promise<void> {
    const { signal } = this.#stop;
    const gone = new AbortController();
    const opening = openConnection(this.uri, { onEvent: (event) => this.#onEvent(event, gone) });
    // Opening has no deadline of its own, and a stop must not wait for it.
    const tried = new AbortController();
    const stopped = aborted(AbortSignal.any([signal, tried.signal]));
    // Else each attempt would leave a listener behind, for as long as libvirt is away.
    const connection = await Promise.race([opening, stopped]).finally(() => tried.abort());
    if (!connection) {
      opening.then((late) => late.close()).catch(() => {});
      return;
    }
    this.#connection = connection;
    this.#backOff.reset();
    this.#refusal = undefined;
    this.log.info({ uri: this.uri }, 'connected to libvirt');
    this.emit('anew');
    await aborted(AbortSignal.any([signal, gone.signal]));
    this.#connection = undefined;
    this.#handles.forgetAll();
    await connection.close();
    if (signal.aborted) return;
    this.log.warn({ uri: this.uri }, 'the connection to libvirt is lost');
    this.emit('disconnected');
  }

  /** One change is reported twice, of the running domain and of its definition: the look comes after both. */
  #metadataChanged(uuid: string): void {
    if (this.#changed.size === 0)
      setTimeout(() => {
        const changed = [...this.#changed];
        this.#changed.clear();
        for (const one of changed) this.emit('domain', one, 'metadata');
      }, settleMs);
    this.#changed.add(uuid);
  }

  #onEvent(event: ConnectionEvent, gone: AbortController): void {
    switch (event.type) {
      case 'disconnected':
        gone.abort();
        return;
      case 'lost':
        this.#allAnew();
        return;
      case 'metadata':
        if (event.uri === metadataUri) this.#metadataChanged(event.domain.uuid);
        return;
      case 'lifecycle':
        if (event.event === 'defined' || event.event === 'undefined') this.#allAnew();
        else {
          this.#handles.forget(event.domain.uuid);
          this.emit('domain', event.domain.uuid, asChange(event.event));
        }
        return;
    }
  }

  #allAnew(): void {
    this.#handles.forgetAll();
    this.emit('anew');
  }
}

const asChange = (event: string) => (event === 'started' || event === 'stopped' ? event : 'other');

/** Resolves when it is aborted. */
function aborted(signal: AbortSignal): Promise<undefined> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(undefined);
    else signal.addEventListener('abort', () => resolve(undefined), { once: true });
  });
}

const readDesired = async (domain: Domain) => desiredIn(await readElement(domain, 'current'));

/** Null if there is none. */
async function readElement(domain: Domain, affect: 'current' | 'live' | 'config'): Promise<string | null> {
  try {
    return await domain.metadata(metadataUri, affect);
  } catch (error) {
    if (!(error instanceof LibvirtError) || error.code !== errorNumber.noDomainMetadata) throw error;
    return null;
  }
}

/** It has no persistent definition (libvirt: virDomainObjUpdateModificationImpact). */
function ifTransient(error: unknown): undefined {
  if (!(error instanceof LibvirtError) || error.code !== errorNumber.operationInvalid) throw error;
}

/** What an element of ours says; null: there is none. */
export function desiredIn(xml: string | null): Desired {
  if (xml === null) return { desired: { path: 'injected', source: 'default' }, problem: null };
  const read = parseDesired(xml);
  return 'problem' in read
    ? { desired: { path: 'injected', source: 'invalid' }, problem: read.problem }
    : { desired: { path: read.path, source: 'metadata' }, problem: null };
}

function domainState(state: string): RunState {
  if (state === 'running' || state === 'blocked' || state === 'in shutdown') return 'running';
  return state === 'paused' || state === 'pmsuspended' ? 'paused' : 'off';
}
