// SPDX-License-Identifier: Apache-2.0
import { isDeepStrictEqual } from 'node:util';
import type { DomainStatus } from '../../src/control/schema.js';
import type { Step } from '../../src/control/steps.js';
import type { DesiredPath } from '../../src/protocol/fields.js';
import type { Health } from '../../src/protocol/messages.js';
import { TokenBucket } from '../../src/session/token-bucket.js';
import { BackOff } from '../../src/support/back-off.js';
import { VmcallError } from '../../src/support/errors.js';
import type { DomainLog } from '../bounded-log.js';
import type { HostConfiguration } from '../configuration.js';
import type { GuestSession } from '../guest-sessions/guest-session.js';
import type { Desired, DomainFacts, Libvirt } from '../libvirt/libvirt.js';
import { type Decision, decide, planSwitch, type Reason } from './decide.js';
import { stepSwitches, stepTells } from './demands.js';
import { describeDomain, type GuestSeen, libvirtLost } from './describe.js';
import { YieldEvidence } from './evidence.js';
import { GuestOrder } from './guest-order.js';
import type { KvmSwitches } from './kvm.js';
import type { Failure, Seen } from './seen.js';
import { whatFailed } from './what-failed.js';

export type Timing = HostConfiguration['reconciler'];

export interface DomainKeeperOptions {
  uuid: string;
  libvirt: Pick<Libvirt, 'read' | 'readDesired'>;
  kvm: KvmSwitches;
  timing: Timing;
  log: DomainLog;
  /** Whether `vmcall tune` has the non-threaded handler on for it. */
  tunedHardirq?: () => boolean;
}

/** Between two looks while something is on its way, ms. */
const movingMs = 500;
/** Looks that what a guest says can cause: one in this time, ms, after so many at once. */
const guestLooksMs = 1_000;
const guestLooksBurst = 10;
/** Of one turn; what is not there by then goes on at the next look. */
const stepsMost = 8;

/** Drives one domain from its actual to its desired path: looks, decides, does one step, looks again. */
export class DomainKeeper {
  readonly #evidence = new YieldEvidence(performance.now());
  readonly #order = new GuestOrder(() => this.#evidence.begin(performance.now()));
  #backOff: BackOff;
  #facts: DomainFacts | undefined;
  /** Why the facts are not of now. */
  #unread: Reason | undefined;
  /** What was seen at the last look. */
  #last: { seen: Seen; at: number } | undefined;
  #guest: GuestSeen | undefined;
  #failure: (Failure & { until: number }) | undefined;
  #timer: NodeJS.Timeout | undefined;
  #turn: Promise<void> | undefined;
  #again = false;
  /** How often a path was desired: what was asked for before may be older. */
  #desires = 0;
  /** The facts are of this moment: the turn that begins now need not read them. */
  #isFresh = false;
  readonly #guestLooks = new TokenBucket(1000 / guestLooksMs, guestLooksBurst, performance.now());
  /** A look that the guest caused is due. */
  #isSoon = false;
  #stopped = false;
  #logged = '';

  constructor(private readonly options: DomainKeeperOptions) {
    this.#backOff = this.#newBackOff();
  }

  /** Look now, or once more if a look is under way. */
  kick(): void {
    if (this.#stopped) return;
    this.#again = true;
    this.#turn ??= this.#run();
  }

  /** Its metadata changed: a look, unless that is what desire() said already. */
  metadataChanged(): void {
    this.options.libvirt.readDesired(this.options.uuid).then(
      (now) => !isDeepStrictEqual(now, this.#facts && desiredOf(this.#facts)) && this.kick(),
      () => this.kick(),
    );
  }

  /** A session of its guest began. */
  guestCame(session: GuestSession): void {
    this.#guest = { session, health: session.health ?? null };
    session.on('report', (report) => this.#evidence.hear(report, performance.now()));
    session.on('health', (health) => this.#heard(session, health));
    session.once('closed', () => {
      if (this.#guest?.session === session) this.#guest = undefined;
      this.#kickSoon();
    });
    this.#forgiveFailure();
    this.#kickSoon();
  }

  /** What failed before may go well now: try at once. */
  tryAnew(): void {
    this.#forgiveFailure();
    this.kick();
  }

  #forgiveFailure(): void {
    this.#failure = undefined;
    this.#order.forget();
    this.#backOff.reset();
  }

  /** As last read; undefined until libvirt was asked for the first time. */
  get desired(): DesiredPath | undefined {
    return this.#facts?.desired.path;
  }

  /** This was written to the metadata just now. */
  desire(desired: Desired): void {
    this.#desires++;
    if (this.#facts) {
      this.#facts = { ...this.#facts, ...desired };
      // libvirt's own word for it comes as an event.
      this.#isFresh = this.#unread === undefined && this.#turn === undefined;
    }
    this.tryAnew();
  }

  retime(timing: Timing): void {
    this.options.timing = timing;
    this.#backOff = this.#newBackOff();
    this.kick();
  }

  /** Undefined until libvirt was asked for the first time. Kernel and guest as of now. */
  status(connected: boolean): DomainStatus | undefined {
    const seen = this.#see();
    return seen && this.#describe(seen, connected);
  }

  /** As it was at the last look, without a look at anything; undefined as for status(). */
  recall(connected: boolean): { status: DomainStatus; lookedAt: number } | undefined {
    const status = this.#last && this.#describe(this.#last.seen, connected);
    return status && { status, lookedAt: this.#last?.at ?? 0 };
  }

  #describe(seen: Seen, connected: boolean): DomainStatus | undefined {
    const unread = connected ? this.#unread : libvirtLost;
    return this.#facts && describeDomain(seen, this.#facts, this.#guest, unread);
  }

  /** What would be done for that path; undefined as for status(). */
  plan(desired: Seen['desired']): ReturnType<typeof planSwitch> | undefined {
    const seen = this.#see();
    return seen && planSwitch(seen, desired);
  }

  /** No step begins any more; resolves when the one under way has ended. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#turn;
  }

  get #yieldsWithinMs(): number {
    return this.options.timing.yields_within_s * 1000;
  }

  #newBackOff(): BackOff {
    const { retry_least_s: least, retry_most_s: most } = this.options.timing;
    return new BackOff(least * 1000, most * 1000);
  }

  #heard(session: GuestSession, health: Health): void {
    if (this.#guest?.session !== session) return;
    const isNews = !isDeepStrictEqual(health, this.#guest.health);
    this.#guest.health = health;
    // Most say every few seconds that nothing has changed.
    if (isNews) this.#kickSoon();
  }

  /** Something that the guest says or does: it may do so as often as it likes, and is looked at so often. */
  #kickSoon(): void {
    if (this.#isSoon || this.#stopped) return;
    if (this.#guestLooks.take(performance.now())) {
      this.kick();
      return;
    }
    this.#isSoon = true;
    setTimeout(() => {
      this.#isSoon = false;
      this.kick();
    }, guestLooksMs).unref();
  }

  async #run(): Promise<void> {
    clearTimeout(this.#timer);
    let wait = 0;
    while (this.#again && !this.#stopped) {
      this.#again = false;
      wait = await this.#drive();
    }
    this.#turn = undefined;
    if (!this.#stopped) this.#timer = setTimeout(() => this.kick(), wait * jitter());
  }

  /** As far as it goes now. @returns when to look again, ms */
  async #drive(): Promise<number> {
    for (let steps = 0; steps < stepsMost; steps++) {
      // No step of ours changes what libvirt knows; whatever else does, kicks.
      const isKnown = this.#isFresh || (steps > 0 && !this.#again);
      this.#isFresh = false;
      this.#again = false;
      const decision = isKnown || (await this.#read()) ? this.#look() : undefined;
      if (!decision) return this.options.timing.interval_s * 1000;
      if (decision.step === null || this.#stopped) return this.#waitAfter(decision);
      await this.#do(decision.step, decision.reason);
    }
    return movingMs;
  }

  /** What libvirt knows; false if it cannot be asked, or has no such domain any more. */
  async #read(): Promise<boolean> {
    const { libvirt, uuid, log } = this.options;
    try {
      const desires = this.#desires;
      const read = await libvirt.read(uuid);
      if (!read) {
        this.#facts = undefined;
        return false;
      }
      const newer = desires === this.#desires ? undefined : this.#facts;
      const facts = newer ? { ...read, ...desiredOf(newer) } : read;
      if (this.#facts && facts.desired.path !== this.#facts.desired.path) {
        this.#failure = undefined;
        this.#order.forget();
      }
      if (facts.problem !== null && facts.problem !== this.#facts?.problem)
        log.warn({ problem: facts.problem }, 'bad metadata: the injected path is taken as desired');
      this.#facts = facts;
      this.#unread = undefined;
      return true;
    } catch (error) {
      const code = error instanceof VmcallError ? error.code : 'LIBVIRT_FAILED';
      this.#unread = { code, message: error instanceof Error ? error.message.slice(0, 2000) : String(error) };
      this.#log('warn', { code, why: this.#unread.message }, 'the domain cannot be read');
      return false;
    }
  }

  #look(): Decision | undefined {
    const seen = this.#see();
    if (!seen) return undefined;
    this.#last = { seen, at: performance.now() };
    const decision = decide(seen);
    if (decision.phase === 'reached') this.#backOff.reset();
    this.#tell(seen, decision);
    return decision;
  }

  #see(): Seen | undefined {
    if (!this.#facts) return undefined;
    const now = performance.now();
    const { domain, desired, identity } = this.#facts;
    const kvm =
      domain === 'off'
        ? ({ support: 'absent', why: 'the domain does not run' } as const)
        : this.options.kvm.see(identity);
    this.#evidence.read(kvm.support === 'present' ? kvm.yields : null, now);
    const capabilities = this.#guest?.session.agreement.capabilities ?? [];
    const guest = this.#guest && {
      capable: capabilities.includes('path') && capabilities.includes('health'),
      kicks: capabilities.includes('pv-kick'),
      health: this.#guest.health,
    };
    return {
      desired,
      domain,
      kvm,
      guest: guest ?? null,
      evidence: this.#evidence.judge(now, this.#yieldsWithinMs),
      failure: this.#failure && this.#failure.until > now ? this.#failure : null,
      tunedHardirq: this.options.tunedHardirq?.() ?? false,
    };
  }

  #waitAfter({ phase }: Decision): number {
    const usual = this.options.timing.interval_s * 1000;
    if (phase === 'moving') return Math.min(movingMs, usual);
    const retry = this.#failure ? this.#failure.until - performance.now() : usual;
    return Math.min(usual, Math.max(retry, 1));
  }

  async #do(step: Step, reason: Reason | null): Promise<void> {
    const { kvm, log, uuid } = this.options;
    const desires = this.#desires;
    try {
      const [switches, path] = [stepSwitches[step], stepTells[step]];
      if (switches) kvm.set(uuid, switches);
      else if (path) await this.#order.send(path, this.#guest, this.#yieldsWithinMs);
      else throw new VmcallError(reason?.code ?? '', reason?.message ?? '', '');
      log.info({ step }, 'step done');
    } catch (error) {
      if (this.#stopped) return;
      const { code, message } = whatFailed(error);
      // What was desired meanwhile was not tried yet: nothing of it has failed.
      if (desires === this.#desires)
        this.#failure = { step, code, message, until: performance.now() + this.#backOff.next() };
      log.warn({ step, code, why: message }, 'step failed');
    }
  }

  #tell({ desired, guest }: Seen, { phase, reason }: Decision): void {
    const values = {
      desired: desired.path,
      guest: guest?.health?.path ?? null,
      code: reason?.code,
      why: reason?.message,
    };
    this.#log(phase === 'blocked' ? 'warn' : 'info', values, `desired path ${phase}`);
  }

  /** Once for each change. */
  #log(level: 'warn' | 'info', values: Record<string, unknown>, message: string): void {
    const text = JSON.stringify([message, values]);
    if (text === this.#logged) return;
    this.#logged = text;
    this.options.log[level](values, message);
  }
}

const desiredOf = ({ desired, problem }: DomainFacts): Desired => ({ desired, problem });

/** So that a thousand domains that began together are not all checked together forever. */
const jitter = () => 0.9 + Math.random() * 0.2;
