// SPDX-License-Identifier: Apache-2.0
import { describeError, VmcallError } from '../../../src/support/errors.js';
import type { Log } from '../../../src/support/log.js';
import type { Host } from '../../host/host.js';
import { qemuVms, type Vm } from '../../host/qemu-process.js';
import type { HostSystem } from '../knob.js';
import { LibvirtDomains } from '../libvirt-domain.js';
import { QemuProcesses } from '../qemu-process.js';
import type { Target } from '../target.js';
import { Contest } from './contest.js';
import { type Kept, KeptRequests } from './kept.js';
import { quickLook } from './quick-look.js';
import { type SetAgain, setAgain } from './set-again.js';

export interface TuningKeeperOptions {
  host: Host;
  /** Where `vmcall tune` keeps its record and saved requests. */
  state: string;
  intervalMs: number;
  log: Log;
}

/** How it stands with what is kept of a domain, as `vmcall status` shows it. */
export interface UpkeepStatus {
  kept_since: string;
  /** Settings reapplied since this keeper began. */
  set_again: number;
  last_set: string | null;
  /** Why it is not kept now; null where it is. */
  problem: { code: string; message: string } | null;
}

/** What is known of one saved request. */
interface Watched {
  made: string;
  contest: Contest;
  /** At the last whole look; undefined: look at all of it at once. */
  target: Target | null | undefined;
  seen: string;
  /** When to look at all of it whatever the quick look says, ms of performance.now(). */
  due: number;
  setAgain: number;
  last: string | null;
  problem: UpkeepStatus['problem'];
}

/** Other settings than interrupts change seldom, and a whole look reads each process of the host. ms */
const wholeMs = 600_000;
/** While a question is open, or something was refused; and between two looks for domains that have started. ms */
const waitingMs = 10_000;

/**
 * Keeps what `vmcall tune apply` did over a restart of guest, DPDK program and host, until `vmcall tune restore`: an
 * interrupt's affinity, for one, is gone when the guest's driver gives it back. What another program sets again and
 * again is left to it, and reported.
 */
export class TuningKeeper {
  readonly #requests: KeptRequests;
  readonly #watched = new Map<string, Watched>();
  #timer: NodeJS.Timeout | undefined;
  #turn: Promise<void> | undefined;
  /** When to look for domains that do not run, ms of performance.now(). */
  #searchDue = 0;
  #stopped = false;

  constructor(private readonly options: TuningKeeperOptions) {
    this.#requests = new KeptRequests(options.state, (file, why) =>
      options.log.warn({ file, why }, 'the saved tuning requests cannot be read'),
    );
  }

  start(): void {
    this.#timer = setInterval(() => this.look(), this.options.intervalMs);
    this.look();
  }

  /** No look begins any more; resolves when the one under way has ended. What is set stays set. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearInterval(this.#timer);
    await this.#turn;
  }

  /** Its domain began, ended or changed: look at all of it. */
  kick(uuid: string): void {
    const watched = this.#watched.get(uuid);
    if (watched) watched.target = undefined;
  }

  /** Now, unless a look is under way. @returns when it has ended */
  look(): Promise<void> {
    if (this.#stopped) return Promise.resolve();
    this.#turn ??= this.#lookAtAll().finally(() => {
      this.#turn = undefined;
    });
    return this.#turn;
  }

  /** Whether a domain's NIC shall have the non-threaded handler, so that nobody takes that for left over. */
  keepsHardirq(uuid: string): boolean {
    return this.#requests.list().some(({ domain, hardirq }) => hardirq && domain?.uuid === uuid);
  }

  /** Undefined for a domain of which nothing is kept. */
  status(uuid: string): UpkeepStatus | undefined {
    const watched = this.#watched.get(uuid);
    return (
      watched && {
        kept_since: watched.made,
        set_again: watched.setAgain,
        last_set: watched.last,
        problem: watched.problem,
      }
    );
  }

  async #lookAtAll(): Promise<void> {
    const requests = new Map(this.#requests.list().map((kept) => [nameOf(kept), kept]));
    for (const name of this.#watched.keys()) if (!requests.has(name)) this.#watched.delete(name);
    this.#search(requests);
    for (const [name, kept] of requests) {
      if (this.#stopped) return;
      const known = this.#watched.get(name);
      const watched = known?.made === kept.made ? known : begin(kept);
      this.#watched.set(name, watched);
      if (this.#isDue(watched)) await this.#lookAt(name, kept, watched);
    }
  }

  /** One look for all that do not run: libvirt reports its domains, others are not reported. */
  #search(requests: ReadonlyMap<string, Kept>): void {
    const absent = [...this.#watched].filter(([, { target }]) => target === null);
    if (absent.length === 0 || performance.now() < this.#searchDue) return;
    this.#searchDue = performance.now() + waitingMs;
    const running = qemuVms(this.options.host);
    for (const [name, watched] of absent) {
      const domain = requests.get(name)?.domain;
      const isIt = (vm: Vm) => (domain?.uuid ? vm.uuid === domain.uuid : vm.name === domain?.name);
      if (running.some(isIt)) watched.target = undefined;
    }
  }

  #isDue({ target, seen, due }: Watched): boolean {
    if (target === undefined || performance.now() >= due) return true;
    return target !== null && quickLook(this.options.host, target) !== seen;
  }

  async #lookAt(name: string, kept: Kept, watched: Watched): Promise<void> {
    const { host, state, log } = this.options;
    const now = performance.now();
    try {
      const processes = new QemuProcesses(host);
      const domains = kept.connect === null ? processes : new LibvirtDomains(kept.connect, processes);
      const system: HostSystem = { host, domains };
      const outcome = await setAgain(system, state, kept, ({ knob, place }) =>
        watched.contest.isContested(`${knob} ${place}`, now),
      );
      this.#note(name, watched, outcome, now);
    } catch (error) {
      const code = error instanceof VmcallError ? error.code : 'INTERNAL';
      const message = error instanceof VmcallError ? error.message : describeError(error);
      this.#tell(name, watched, { code, message: message.slice(0, 2000) });
      watched.due = now + waitingMs;
      if (!(error instanceof VmcallError)) log.error({ err: error, domain: name }, 'tuning was not checked');
    }
  }

  #note(name: string, watched: Watched, { target, changed, failed }: SetAgain, now: number): void {
    const { host, log } = this.options;
    for (const { knob, place, now: before, wanted } of changed) {
      log.info({ domain: name, knob, place, before, after: wanted }, 'tuning reapplied');
      watched.contest.count(`${knob} ${place}`, now);
      watched.setAgain++;
      watched.last = new Date().toISOString();
    }
    const [open] = target?.undecided ?? [];
    const contested = watched.contest.places(now);
    const [refused] = failed;
    watched.target = target;
    watched.seen = target ? quickLook(host, target) : '';
    watched.due = target === null ? Number.POSITIVE_INFINITY : now + (open || refused ? waitingMs : wholeMs);
    this.#tell(
      name,
      watched,
      open
        ? { code: open.code, message: `${open.what}: nothing is set until that is known. ${open.todo}` }
        : refused
          ? { code: refused.code, message: `${refused.knob} ${refused.place}: ${refused.what}` }
          : contested.length > 0
            ? {
                code: 'TUNING_CONTESTED',
                message: `another program sets ${contested.slice(0, 8).join(', ')} again and again, and is left to it: look for irqbalance and tuned with vmcall check`,
              }
            : null,
    );
  }

  /** Once for each change. */
  #tell(name: string, watched: Watched, problem: UpkeepStatus['problem']): void {
    if (problem && problem.message.slice(0, 2000) !== watched.problem?.message)
      this.options.log.warn({ domain: name, code: problem.code, why: problem.message }, 'tuning is not kept');
    else if (!problem && watched.problem) this.options.log.info({ domain: name }, 'tuning is kept again');
    watched.problem = problem && { ...problem, message: problem.message.slice(0, 2000) };
  }
}

const nameOf = ({ domain, cpus }: Kept) => (domain ? (domain.uuid ?? domain.name) : `CPUs ${cpus.join(',')}`);

const begin = ({ made }: Kept): Watched => ({
  made,
  contest: new Contest(),
  target: undefined,
  seen: '',
  due: 0,
  setAgain: 0,
  last: null,
  problem: null,
});
