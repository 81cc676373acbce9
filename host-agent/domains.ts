// SPDX-License-Identifier: Apache-2.0
import { controlLimits } from '../src/control/schema.js';
import { closeCodes } from '../src/protocol/codes.js';
import { VmcallError } from '../src/support/errors.js';
import type { Log } from '../src/support/log.js';
import type { DomainLogs } from './bounded-log.js';
import type { Settings } from './configuration.js';
import type { GuestListener } from './guest-listener.js';
import { type DomainChange, Libvirt } from './libvirt/libvirt.js';
import type { Recalled } from './live/observed-domain.js';
import type { DomainIdentity } from './native/events.js';
import { DomainKeeper } from './switch/domain-keeper.js';
import type { KvmSwitches } from './switch/kvm.js';
import type { Upkeep } from './upkeep.js';

/** What the domains need of the rest of the agent. */
export interface DomainsParts {
  settings: Settings;
  kvm: KvmSwitches;
  guests: Pick<GuestListener, 'session'>;
  upkeep: () => Pick<Upkeep, 'kick' | 'keepsHardirq'>;
  /** The domains were listed again. */
  listed: () => void;
  log: Log;
  logs: DomainLogs;
}

/** libvirt's domains, with a keeper each: which there are, and whom libvirt's events concern. */
export class Domains {
  readonly #keepers = new Map<string, DomainKeeper>();
  #libvirt: Libvirt;
  #timer: NodeJS.Timeout | undefined;
  #listing: Promise<void> | undefined;
  #listAgain = false;

  constructor(private readonly parts: DomainsParts) {
    this.#libvirt = this.#newLibvirt();
  }

  get libvirt(): Libvirt {
    return this.#libvirt;
  }

  /** Connects, and retries where libvirt does not answer yet. */
  start(): void {
    this.#libvirt.start();
    this.#setTimer();
  }

  /** Leaves every domain as it is: a yielded vCPU is woken by KVM, not by an agent. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#drop([...this.#keepers.keys()]);
    await this.#libvirt.stop();
    await this.#listing;
  }

  /** Connects again, as the configuration has it now. */
  async reconnect(): Promise<void> {
    await this.#libvirt.stop();
    await this.#drop([...this.#keepers.keys()]);
    this.#libvirt = this.#newLibvirt();
    this.#libvirt.start();
  }

  /** Takes the reconciler's intervals from the configuration again. */
  retime(): void {
    this.#setTimer();
    for (const keeper of this.#keepers.values()) keeper.retime(this.parts.settings.current.reconciler);
  }

  has(uuid: string): boolean {
    return this.#keepers.has(uuid);
  }

  find(uuid: string): DomainKeeper | undefined {
    return this.#keepers.get(uuid);
  }

  /** @throws VmcallError NO_DOMAIN, LIBVIRT_UNREACHABLE */
  keeper(uuid: string): DomainKeeper {
    const keeper = this.#keepers.get(uuid);
    if (keeper) return keeper;
    throw this.missing(uuid);
  }

  keepers(): DomainKeeper[] {
    return [...this.#keepers.values()];
  }

  /** All domains as they were last seen. */
  recall(): Recalled[] {
    const { connected } = this.#libvirt;
    return this.keepers()
      .map((keeper) => keeper.recall(connected))
      .filter((recalled) => recalled !== undefined);
  }

  /** The error for a domain that is not there. */
  missing(uuid: string): VmcallError {
    const { uri, connected } = this.#libvirt;
    return connected
      ? new VmcallError(
          'NO_DOMAIN',
          `libvirt at ${uri} has no domain ${uuid}`,
          'See vmcall status for those it has',
        )
      : new VmcallError(
          'LIBVIRT_UNREACHABLE',
          `the host agent has no connection to libvirt at ${uri} and has not seen a domain ${uuid}`,
          'Does libvirtd run? Is libvirt.uri of the configuration right? The log says why it was refused',
        );
  }

  #newLibvirt(): Libvirt {
    const libvirt = new Libvirt(this.parts.settings.current.libvirt.uri, this.parts.log);
    libvirt.on('anew', () => {
      for (const keeper of this.#keepers.values()) keeper.kick();
      this.#list();
    });
    libvirt.on('domain', (uuid, change) => this.#changed(uuid, change));
    return libvirt;
  }

  #changed(uuid: string, change: DomainChange): void {
    const { guests, upkeep } = this.parts;
    // A guest whose QEMU was killed says no goodbye: without this its requests wait for their deadlines.
    if (change === 'stopped') guests.session(uuid)?.close(closeCodes.domainEnded, 'its domain ended');
    if (change !== 'metadata') upkeep().kick(uuid);
    const keeper = this.#keepers.get(uuid);
    if (!keeper) this.#list();
    else if (change === 'metadata') keeper.metadataChanged();
    else if (change === 'other') keeper.kick();
    else keeper.tryAnew();
  }

  #setTimer(): void {
    clearInterval(this.#timer);
    const { interval_s: seconds } = this.parts.settings.current.reconciler;
    this.#timer = setInterval(() => this.#list(), seconds * 1000);
  }

  /** Reads which domains there are. Each keeper looks at its own by itself. */
  #list(): void {
    this.#listAgain = true;
    this.#listing ??= this.#listWhileAsked().finally(() => {
      this.#listing = undefined;
    });
  }

  async #listWhileAsked(): Promise<void> {
    while (this.#listAgain) {
      this.#listAgain = false;
      if (!this.#libvirt.connected) return;
      try {
        await this.#takeIn(await this.#libvirt.domains());
      } catch (error) {
        this.parts.log.warn({ err: error }, 'the domains cannot be listed');
      }
    }
  }

  async #takeIn(domains: readonly DomainIdentity[]): Promise<void> {
    const most = controlLimits.domains;
    if (domains.length > most)
      this.parts.log.error({ domains: domains.length, most }, 'too many domains: the rest is ignored');
    const kept = new Set(domains.slice(0, most).map(({ uuid }) => uuid));
    await this.#drop([...this.#keepers.keys()].filter((uuid) => !kept.has(uuid)));
    for (const uuid of kept) if (!this.#keepers.has(uuid)) this.#newKeeper(uuid).kick();
    this.parts.listed();
  }

  #newKeeper(uuid: string): DomainKeeper {
    const { kvm, settings, logs, guests, upkeep } = this.parts;
    const keeper = new DomainKeeper({
      uuid,
      libvirt: this.#libvirt,
      kvm,
      timing: settings.current.reconciler,
      log: logs.of(uuid),
      tunedHardirq: () => upkeep().keepsHardirq(uuid),
    });
    this.#keepers.set(uuid, keeper);
    const session = guests.session(uuid);
    if (session) keeper.guestCame(session);
    return keeper;
  }

  async #drop(uuids: readonly string[]): Promise<void> {
    const keepers = uuids.map((uuid) => this.#keepers.get(uuid));
    for (const uuid of uuids) this.#keepers.delete(uuid);
    await Promise.all(keepers.map((keeper) => keeper?.stop()));
  }
}
