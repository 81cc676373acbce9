// SPDX-License-Identifier: Apache-2.0
import { isDeepStrictEqual } from 'node:util';
import type { Daemon } from '../src/support/daemon.js';
import { describeError } from '../src/support/errors.js';
import type { Log } from '../src/support/log.js';
import { Answers } from './answers.js';
import { DomainLogs } from './bounded-log.js';
import { type HostConfiguration, readHostConfiguration, type Settings } from './configuration.js';
import { ControlServer } from './control/server.js';
import { Domains } from './domains.js';
import { GuestListener } from './guest-listener.js';
import type { GuestSession } from './guest-sessions/guest-session.js';
import type { Host } from './host/host.js';
import { putBack, remember } from './lease/before.js';
import { LeaseJournal } from './lease/journal.js';
import { Leases } from './lease/leases.js';
import type { Listening } from './listening.js';
import type { Memory, Recalled } from './live/observed-domain.js';
import { Observation } from './observation.js';
import { KvmSwitches } from './switch/kvm.js';
import { type NewUpkeep, noUpkeep, type Upkeep } from './upkeep.js';
import { WakeDating } from './wake-times/dating.js';
import { InterruptTrace } from './wake-times/interrupt-trace.js';

/** The host agent: puts its parts together, starts and stops them, and reloads their configuration. */
export class HostAgent implements Daemon, Memory {
  readonly #settings: Settings;
  readonly #kvm: KvmSwitches;
  readonly #logs: DomainLogs;
  readonly #guests: GuestListener;
  readonly #domains: Domains;
  readonly #observation: Observation;
  readonly #answers: Answers;
  #upkeep: Upkeep;
  #control: ControlServer | undefined;

  private constructor(
    private readonly file: string,
    configuration: HostConfiguration,
    private readonly log: Log,
    private readonly host: Host,
    private readonly newUpkeep: NewUpkeep,
  ) {
    this.#settings = { current: configuration };
    const settings = this.#settings;
    this.#kvm = new KvmSwitches(host);
    this.#upkeep = this.#newUpkeep();
    this.#logs = new DomainLogs(log);
    this.#guests = new GuestListener(settings, log, this.#logs, (session) => this.#opened(session));
    const leases = this.#newLeases();
    this.#domains = new Domains({
      settings,
      kvm: this.#kvm,
      guests: this.#guests,
      upkeep: () => this.#upkeep,
      listed: () => leases.putBackLeftOvers((uuid) => this.#domains.find(uuid)?.desired !== undefined),
      log,
      logs: this.#logs,
    });
    this.#observation = new Observation(this, log);
    this.#answers = new Answers({
      settings,
      domains: this.#domains,
      guests: this.#guests,
      leases,
      upkeep: () => this.#upkeep,
      unheard: () => this.unheard,
      log,
    });
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
    await this.#removeLeftOvers();
    this.#control = await this.#newControl(this.#settings.current.control);
    await this.#guests.start();
    await this.#observation.live.measure(this.#settings.current.live.measure);
    await this.#observation.start(this.#settings.current);
    this.#domains.start();
    this.#upkeep.start();
  }

  /** Leaves every domain as it is: a yielded vCPU is woken by KVM, not by an agent. */
  async stop(): Promise<void> {
    await Promise.all([this.#control?.stop(), this.#observation.stop(), this.#upkeep.stop()]);
    await this.#guests.stopListening();
    // Together: a keeper that waits for its guest is released by the end of the session.
    await Promise.all([this.#domains.stop(), this.#guests.stopSessions()]);
  }

  /** Applies what changed in the file, part by part; a file with errors changes nothing. */
  async reload(): Promise<void> {
    try {
      await this.#apply(await readHostConfiguration(this.file));
      this.log.info('configuration reloaded');
    } catch (error) {
      this.log.error({ err: error }, `not reloaded: ${describeError(error)}`);
    }
  }

  async #apply(after: HostConfiguration): Promise<void> {
    const before = this.#settings.current;
    const differs = (...keys: (keyof HostConfiguration)[]) =>
      keys.some((key) => !isDeepStrictEqual(before[key], after[key]));
    if (differs('guests', 'state')) await this.#guests.replace(after);
    else if (await this.#guests.renewCertificate()) await this.#observation.listen(this.#settings.current);
    if (differs('control')) {
      await this.#replaceControl(before.control, after.control);
      this.#take({ control: after.control });
    }
    if (differs('live')) {
      this.#take({ live: after.live });
      // Nobody waits for a guest that does not answer.
      void this.#observation.live.measure(after.live.measure);
    }
    if (differs('metrics', 'web', 'state')) {
      await this.#observation.listen(after);
      // With exactOptionalPropertyTypes a key that went away must go away here too.
      const { metrics: _metrics, web: _web, ...rest } = this.#settings.current;
      const { metrics, web } = after;
      this.#settings.current = { ...rest, ...(metrics && { metrics }), ...(web && { web }) };
    }
    if (differs('reconciler')) {
      this.#take({ reconciler: after.reconciler });
      this.#domains.retime();
    }
    if (differs('tuning')) {
      this.#take({ tuning: after.tuning });
      await this.#upkeep.stop();
      this.#upkeep = this.#newUpkeep();
      this.#upkeep.start();
    }
    if (differs('libvirt')) {
      this.#take({ libvirt: after.libvirt });
      await this.#domains.reconnect();
    }
  }

  #take(changed: Partial<HostConfiguration>): void {
    this.#settings.current = { ...this.#settings.current, ...changed };
  }

  /** On another path the new socket is there before the old one goes. */
  async #replaceControl(
    before: HostConfiguration['control'],
    after: HostConfiguration['control'],
  ): Promise<void> {
    const stopOld = () => Promise.all([this.#control?.stop(), this.#observation.observers.stop()]);
    const isMoved = before.socket !== after.socket;
    if (!isMoved) await stopOld();
    const control = await this.#newControl(after).catch(async (error) => {
      if (!isMoved) this.#control = await this.#newControl(before);
      throw error;
    });
    if (isMoved) await stopOld();
    this.#control = control;
  }

  get libvirt(): { connected: boolean } {
    return this.#domains.libvirt;
  }

  get unheard(): readonly Pick<Listening, 'what' | 'problem'>[] {
    const { listening } = this.#guests;
    return [...(listening ? [listening] : []), ...this.#observation.unheard];
  }

  get certificateExpires(): number | undefined {
    return this.#guests.certificateExpires;
  }

  recall(): Recalled[] {
    return this.#domains.recall();
  }

  knows(uuid: string): boolean {
    return this.#domains.has(uuid);
  }

  #opened(session: GuestSession): void {
    const place = () => this.#kvm.place(session.domain);
    session.dating = new WakeDating(session.domain, place, this.host, this.#logs.of(session.domain));
    this.#domains.find(session.domain)?.guestCame(session);
    this.#observation.live.follow(session);
  }

  async #removeLeftOvers(): Promise<void> {
    try {
      await InterruptTrace.removeLeftOvers();
    } catch (error) {
      this.log.warn({ err: error }, 'a trace that an earlier agent left cannot be removed');
    }
  }

  #newControl(control: HostConfiguration['control']): Promise<ControlServer> {
    return ControlServer.listen(control, this.#answers, this.log, this.#observation.observers);
  }

  #newUpkeep(): Upkeep {
    const { state, interval_s: interval } = this.#settings.current.tuning;
    return this.newUpkeep({ state, intervalMs: interval * 1000 });
  }

  #newLeases(): Leases {
    const domain = (uuid: string) => ({
      uuid,
      libvirt: this.#domains.libvirt,
      keeper: this.#domains.keeper(uuid),
    });
    return new Leases(
      {
        remember: async (uuid) => remember(domain(uuid)),
        putBack: async (uuid, before) => putBack(domain(uuid), before),
      },
      () => new LeaseJournal(this.#settings.current.state.folder),
      this.log,
    );
  }
}
