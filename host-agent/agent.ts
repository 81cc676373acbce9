// SPDX-License-Identifier: Apache-2.0
import { setTimeout as delay, setImmediate as nextTurn } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import {
  controlLimits,
  type DomainStatus,
  type Enrol,
  type Enrolled,
  type Enrolments,
  type Measure,
  type MeasureEvent,
  type Planned,
  type Status,
} from '../src/control/schema.js';
import { closeCodes } from '../src/protocol/codes.js';
import type { DesiredPath } from '../src/protocol/fields.js';
import type { Daemon } from '../src/support/daemon.js';
import { describeError, exitCodes, VmcallError } from '../src/support/errors.js';
import type { Log } from '../src/support/log.js';
import { type HostConfiguration, readHostConfiguration } from './configuration.js';
import { type Controlled, ControlServer } from './control/server.js';
import { hostCertificate, renewedCertificate } from './enrolment/certificate.js';
import { EnrolmentStore } from './enrolment/store.js';
import { boundedLog } from './guest-sessions/bounded-log.js';
import { GuestSessions } from './guest-sessions/server.js';
import type { Host } from './host/host.js';
import { putBack, remember } from './lease/before.js';
import { LeaseJournal } from './lease/journal.js';
import { Leases } from './lease/leases.js';
import { type Desired, desiredIn, Libvirt } from './libvirt/libvirt.js';
import { formatDesired } from './libvirt/metadata.js';
import { Listening } from './listening.js';
import type { Memory, Recalled } from './live/observed-domain.js';
import { measureGuests } from './measuring.js';
import { LibvirtError } from './native/error.js';
import type { DomainIdentity } from './native/events.js';
import { Observation } from './observation.js';
import { DomainKeeper } from './switch/domain-keeper.js';
import { KvmSwitches } from './switch/kvm.js';
import { tellable } from './switch/tellable.js';
import { type NewUpkeep, noUpkeep, type Upkeep } from './upkeep.js';
import { WakeDating } from './wake-times/dating.js';
import { InterruptTrace } from './wake-times/interrupt-trace.js';

/** Of a look at all of them. */
const domainsATurn = 50;
/** With a libvirt that does not answer a command, ms. */
const patienceMs = 10_000;

/** The host agent: libvirt's domains, their guests' sessions, a keeper each, and the command line's questions. */
export class HostAgent implements Daemon, Controlled, Memory {
  readonly #keepers = new Map<string, DomainKeeper>();
  readonly #kvm: KvmSwitches;
  readonly #observation: Observation;
  readonly leases: Leases;
  #tuning: Upkeep;
  #libvirt: Libvirt;
  #sessions: GuestSessions | undefined;
  #control: ControlServer | undefined;
  #timer: NodeJS.Timeout | undefined;
  #listing: Promise<void> | undefined;
  #listening: Listening | undefined;
  #served: { pem: string; expires: number } | undefined;
  #listAgain = false;

  private constructor(
    private readonly file: string,
    private configuration: HostConfiguration,
    private readonly log: Log,
    private readonly host: Host,
    private readonly newUpkeep: NewUpkeep,
  ) {
    this.#kvm = new KvmSwitches(host);
    this.#tuning = this.#newTuning();
    this.#libvirt = this.#newLibvirt();
    this.#observation = new Observation(this, log);
    const place = (uuid: string) => ({ uuid, libvirt: this.#libvirt, keeper: this.#keeper(uuid) });
    this.leases = new Leases(
      {
        remember: async (uuid) => remember(place(uuid)),
        putBack: async (uuid, before) => putBack(place(uuid), before),
      },
      () => new LeaseJournal(this.configuration.state.folder),
      log,
    );
  }

  /** @throws VmcallError CONFIG_* */
  static async create(
    file: string,
    log: Log,
    host: Host,
    newUpkeep: NewUpkeep = noUpkeep,
  ): Promise<HostAgent> {
    return new HostAgent(file, await readHostConfiguration(file), log, host, newUpkeep);
  }

  /** Ready once commands can connect; neither libvirt nor an address to listen on need be there yet. */
  async start(): Promise<void> {
    const { control } = this.configuration;
    await this.#removeLeftOvers();
    this.#control = await this.#newControl(control);
    await this.#listen();
    await this.#observation.live.measure(this.configuration.live.measure);
    await this.#observation.start(this.configuration);
    this.#libvirt.start();
    this.#tuning.start();
    this.#setTimer();
  }

  /** For guests, as soon as it can. */
  async #listen(): Promise<void> {
    await this.#listening?.stop();
    this.#listening = new Listening(
      'guests',
      async () => {
        this.#sessions = await this.#newSessions(this.configuration);
      },
      this.log,
    );
    await this.#listening.start();
  }

  /** Where it cannot listen, and why. */
  get unheard(): readonly Pick<Listening, 'what' | 'problem'>[] {
    return [...(this.#listening ? [this.#listening] : []), ...this.#observation.unheard];
  }

  async #removeLeftOvers(): Promise<void> {
    try {
      await InterruptTrace.removeLeftOvers();
    } catch (error) {
      this.log.warn({ err: error }, 'a trace that an agent before left behind cannot be removed');
    }
  }

  /** Takes up what changed in the file, part by part; a file with faults changes nothing. */
  async reload(): Promise<void> {
    try {
      const after = await readHostConfiguration(this.file);
      const before = this.configuration;
      const differs = (...keys: (keyof HostConfiguration)[]) =>
        keys.some((key) => !isDeepStrictEqual(before[key], after[key]));
      if (differs('guests', 'state')) await this.#replaceSessions(after);
      else await this.#renewCertificate();
      if (differs('control')) {
        // On another path the new one is there before the old one goes.
        const isMoved = before.control.socket !== after.control.socket;
        if (!isMoved) await Promise.all([this.#control?.stop(), this.#observation.observers.stop()]);
        const control = await this.#newControl(after.control).catch(async (error) => {
          if (!isMoved) this.#control = await this.#newControl(before.control);
          throw error;
        });
        if (isMoved) await Promise.all([this.#control?.stop(), this.#observation.observers.stop()]);
        this.#control = control;
        this.configuration = { ...this.configuration, control: after.control };
      }
      if (differs('live')) {
        this.configuration = { ...this.configuration, live: after.live };
        // Nobody waits for a guest that does not answer.
        void this.#observation.live.measure(after.live.measure);
      }
      if (differs('metrics', 'web', 'state')) {
        await this.#observation.listen(after);
        // With exactOptionalPropertyTypes a key that went away must go away here too.
        const { metrics: _metrics, web: _web, ...rest } = this.configuration;
        const { metrics, web } = after;
        this.configuration = { ...rest, ...(metrics && { metrics }), ...(web && { web }) };
      }
      if (differs('reconciler')) {
        this.configuration = { ...this.configuration, reconciler: after.reconciler };
        this.#setTimer();
        for (const keeper of this.#keepers.values()) keeper.retime(after.reconciler);
      }
      if (differs('tuning')) {
        this.configuration = { ...this.configuration, tuning: after.tuning };
        await this.#tuning.stop();
        this.#tuning = this.#newTuning();
        this.#tuning.start();
      }
      if (differs('libvirt')) {
        this.configuration = { ...this.configuration, libvirt: after.libvirt };
        await this.#libvirt.stop();
        await this.#dropKeepers([...this.#keepers.keys()]);
        this.#libvirt = this.#newLibvirt();
        this.#libvirt.start();
      }
      this.log.info('configuration reloaded');
    } catch (error) {
      this.log.error({ err: error }, `not reloaded: ${describeError(error)}`);
    }
  }

  /** A certificate that was put in the place of the one before is served from now on; no session ends by it. */
  async #renewCertificate(): Promise<void> {
    if (!this.#sessions) return;
    const { pem, expires, fingerprint } = await renewedCertificate(this.configuration.state.folder);
    if (pem === this.#served?.pem) return;
    this.#sessions.renew(pem);
    this.#served = { pem, expires };
    await this.#observation.listen(this.configuration);
    this.log.info({ fingerprint }, 'another certificate is served');
  }

  /** When the certificate that is served ends, Unix time, s; undefined while none is. */
  get certificateExpires(): number | undefined {
    return this.#served?.expires;
  }

  /** The port may be the same, so the old ones end first; if the new cannot listen, the old ones listen again. */
  async #replaceSessions({ guests, state }: HostConfiguration): Promise<void> {
    await this.#listening?.stop();
    await this.#sessions?.stop();
    const before = this.configuration;
    try {
      this.#sessions = await this.#newSessions({ ...before, guests, state });
      this.configuration = { ...before, guests, state };
    } catch (error) {
      await this.#listen();
      throw error;
    }
  }

  /** Leaves every domain as it is: a yielded vCPU is woken by KVM, not by an agent. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await Promise.all([this.#control?.stop(), this.#observation.stop(), this.#tuning.stop()]);
    await this.#listening?.stop();
    // Together: a keeper that waits for its guest is let go by the end of the session.
    await Promise.all([this.#dropKeepers([...this.#keepers.keys()]), this.#sessions?.stop()]);
    await this.#libvirt.stop();
    await this.#listing;
  }

  /** A few domains in each turn: each is looked at in the kernel, and guests are not to wait for a thousand. */
  async status(uuid?: string): Promise<Status> {
    const { connected, uri } = this.#libvirt;
    const keepers = uuid === undefined ? [...this.#keepers.values()] : [this.#keeper(uuid)];
    const domains: DomainStatus[] = [];
    for (const [at, keeper] of keepers.entries()) {
      const status = keeper.status(connected);
      const tuning = status && this.#tuning.status(status.uuid);
      if (status) domains.push(tellable(tuning ? { ...status, tuning } : status));
      if (at % domainsATurn === domainsATurn - 1) await nextTurn();
    }
    if (uuid !== undefined && domains.length === 0) throw noDomain(uuid, this.#libvirt);
    const unheard = this.unheard.flatMap(({ what, problem }) => (problem ? [{ what, problem }] : []));
    const { address, port } = this.configuration.guests;
    const guests = { address, port: this.#sessions?.port ?? port };
    return { format: 'vmcall-status', version: 1, libvirt: { uri, connected }, guests, unheard, domains };
  }

  get libvirt(): { connected: boolean } {
    return this.#libvirt;
  }

  knows(uuid: string): boolean {
    return this.#keepers.has(uuid);
  }

  /** All domains as they were last looked at. */
  recall(): Recalled[] {
    const { connected } = this.#libvirt;
    return [...this.#keepers.values()]
      .map((keeper) => keeper.recall(connected))
      .filter((recalled) => recalled !== undefined);
  }

  plan(uuid: string, path: DesiredPath | null): Planned {
    const keeper = this.#keeper(uuid);
    const before = keeper.desired;
    const { desired } = asDesired(path);
    const planned = keeper.plan(desired);
    if (!planned || before === undefined) throw noDomain(uuid, this.#libvirt);
    return { format: 'vmcall-plan', version: 1, uuid, desired: { before, after: desired.path }, ...planned };
  }

  async desire(uuid: string, path: DesiredPath | null, lease?: string): Promise<void> {
    const keeper = this.#keeper(uuid);
    this.leases.check(uuid, lease);
    if (lease !== undefined) await this.leases.touch(uuid, lease);
    const before = keeper.desired;
    if (before === undefined || !(await this.#writeDesired(uuid, path))) throw noDomain(uuid, this.#libvirt);
    this.log.info({ domain: uuid, before, after: path }, 'desired path set');
    keeper.desire(asDesired(path));
  }

  async enrol({ domain, overlap_s: overlapS }: Enrol): Promise<Enrolled> {
    this.#keeper(domain);
    const { state } = this.configuration;
    const { fingerprint } = await hostCertificate(state.folder);
    const secret = await new EnrolmentStore(state.folder).issue(domain, overlapS);
    this.log.info({ domain, overlap_s: overlapS }, 'enrolled');
    return { format: 'vmcall-enrolled', version: 1, domain, secret, fingerprint };
  }

  async enrolments(): Promise<Enrolments> {
    const all = await new EnrolmentStore(this.configuration.state.folder).list();
    const domains = all.map(({ domain: uuid, issued, previousUntil }) => ({
      uuid,
      name: this.#keepers.get(uuid)?.recall(true)?.status.name ?? null,
      issued,
      previous_until: previousUntil,
      session: this.#sessions?.get(uuid) !== undefined,
    }));
    return { format: 'vmcall-enrolments', version: 1, domains };
  }

  async revoke(domain: string): Promise<boolean> {
    const was = await new EnrolmentStore(this.configuration.state.folder).revoke(domain);
    this.#sessions?.get(domain)?.close(closeCodes.revoked, 'the secret was taken back');
    this.log.info({ domain, was }, 'revoked');
    return was;
  }

  async measure(measure: Measure, emit: (event: MeasureEvent) => void, signal: AbortSignal): Promise<void> {
    const { domains, lease } = measure;
    const taken = lease ?? this.leases.take({ domains, holder: { verb: 'measurement', pid: process.pid } });
    try {
      for (const uuid of domains) this.leases.check(uuid, taken);
      await measureGuests((uuid) => this.#sessions?.get(uuid), measure, emit, signal);
    } finally {
      if (lease === undefined) await this.leases.release(taken);
    }
  }

  async #writeDesired(uuid: string, path: DesiredPath | null): Promise<boolean> {
    try {
      const written = this.#libvirt.setDesired(uuid, path);
      written.catch(() => {});
      return await Promise.race([written, silentAfter(patienceMs, this.#libvirt)]);
    } catch (error) {
      if (!(error instanceof LibvirtError)) throw error;
      throw new VmcallError(
        'LIBVIRT_FAILED',
        `libvirt did not take the metadata of ${uuid}: ${error.message.slice(0, 2000)}`,
        "Does the host agent's connection have the right to change domains? See libvirt.uri of its configuration",
        exitCodes.failed,
        { cause: error },
      );
    }
  }

  #keeper(uuid: string): DomainKeeper {
    const keeper = this.#keepers.get(uuid);
    if (keeper) return keeper;
    throw noDomain(uuid, this.#libvirt);
  }

  #newControl(control: HostConfiguration['control']): Promise<ControlServer> {
    return ControlServer.listen(control, this, this.log, this.#observation.observers);
  }

  #newTuning(): Upkeep {
    const { state, interval_s: interval } = this.configuration.tuning;
    return this.newUpkeep({ state, intervalMs: interval * 1000 });
  }

  #newLibvirt(): Libvirt {
    const libvirt = new Libvirt(this.configuration.libvirt.uri, this.log);
    libvirt.on('anew', () => {
      for (const keeper of this.#keepers.values()) keeper.kick();
      this.#list();
    });
    libvirt.on('domain', (uuid, change) => {
      // A guest whose QEMU was killed says no goodbye: without this its requests wait for their deadlines.
      if (change === 'stopped') this.#sessions?.get(uuid)?.close(closeCodes.domainEnded, 'its domain ended');
      if (change !== 'metadata') this.#tuning.kick(uuid);
      const keeper = this.#keepers.get(uuid);
      if (!keeper) this.#list();
      else if (change === 'metadata') keeper.metadataChanged();
      else if (change === 'other') keeper.kick();
      else keeper.tryAnew();
    });
    return libvirt;
  }

  async #newSessions({ guests, state }: HostConfiguration): Promise<GuestSessions> {
    const { pem, expires } = await hostCertificate(state.folder);
    this.#served = { pem, expires };
    const enrolments = new EnrolmentStore(state.folder);
    try {
      const sessions = await GuestSessions.listen({ ...guests, pem, enrolments, log: this.log });
      const { uri } = this.configuration.libvirt;
      this.log.info({ guests: { ...guests, port: sessions.port }, libvirt: uri }, 'listening');
      sessions.on('open', (session) => {
        session.dating = this.#newDating(session.domain);
        this.#keepers.get(session.domain)?.guestCame(session);
        this.#observation.live.follow(session);
      });
      return sessions;
    } catch (error) {
      throw new VmcallError(
        'LISTEN_FAILED',
        `guests.address ${guests.address}, guests.port ${guests.port}: ${(error as Error).message}`,
        'Name an address of this host and a port that is free',
        exitCodes.configuration,
        { cause: error },
      );
    }
  }

  #newDating(uuid: string): WakeDating {
    const place = () => this.#kvm.place(uuid);
    return new WakeDating(uuid, place, this.host, this.log);
  }

  #setTimer(): void {
    clearInterval(this.#timer);
    this.#timer = setInterval(() => this.#list(), this.configuration.reconciler.interval_s * 1000);
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
        this.log.warn({ err: error }, 'the domains cannot be listed');
      }
    }
  }

  async #takeIn(domains: readonly DomainIdentity[]): Promise<void> {
    if (domains.length > controlLimits.domains)
      this.log.error({ domains: domains.length, most: controlLimits.domains }, 'the rest is left alone');
    const kept = new Set(domains.slice(0, controlLimits.domains).map(({ uuid }) => uuid));
    await this.#dropKeepers([...this.#keepers.keys()].filter((uuid) => !kept.has(uuid)));
    for (const uuid of kept) if (!this.#keepers.has(uuid)) this.#newKeeper(uuid).kick();
    this.leases.putBackLeftOvers((uuid) => this.#keepers.get(uuid)?.desired !== undefined);
  }

  #newKeeper(uuid: string): DomainKeeper {
    const keeper = new DomainKeeper({
      uuid,
      libvirt: this.#libvirt,
      kvm: this.#kvm,
      timing: this.configuration.reconciler,
      log: boundedLog(this.log.child({ domain: uuid })),
      tunedHardirq: () => this.#tuning.keepsHardirq(uuid),
    });
    this.#keepers.set(uuid, keeper);
    const session = this.#sessions?.get(uuid);
    if (session) keeper.guestCame(session);
    return keeper;
  }

  async #dropKeepers(uuids: readonly string[]): Promise<void> {
    const keepers = uuids.map((uuid) => this.#keepers.get(uuid));
    for (const uuid of uuids) this.#keepers.delete(uuid);
    await Promise.all(keepers.map((keeper) => keeper?.stop()));
  }
}

/** Rejects. Its call cannot be taken back: libvirt may write what it was asked to when it goes on. */
async function silentAfter(ms: number, { uri }: Libvirt): Promise<never> {
  await delay(ms, undefined, { ref: false });
  throw new VmcallError(
    'LIBVIRT_SILENT',
    `libvirt at ${uri} has not answered for ${ms / 1000} s`,
    'Does libvirtd stand still? systemctl status libvirtd; see vmcall status once it goes on',
  );
}

/** As the domain's metadata would say it. */
function asDesired(path: DesiredPath | null): Desired {
  return desiredIn(path === null ? null : formatDesired(path));
}

function noDomain(uuid: string, { uri, connected }: Libvirt): VmcallError {
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
