// SPDX-License-Identifier: Apache-2.0
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parse, stringify } from 'smol-toml';
import { ControlClient } from '../../control/client.js';
import { type DomainStatus, defaultSocket } from '../../control/schema.js';
import type { DesiredPath } from '../../protocol/fields.js';
import { start } from './commands.js';
import { dpdkVcpu } from './cpus.js';
import { domainName, domainUuid, management } from './domain-xml.js';
import type { GuestMachine } from './guest-machine.js';
import { libvirtUri } from './libvirtd.js';

const stateFolder = '/run/lab/host-agent';
const hostConfiguration = '/run/lab/host-agent.toml';
/** Here the guest's configuration is handed over: the guest sees the host's files. */
const guestConfiguration = '/run/lab/guest-agent.toml';
/** The DPDK runtime folder of the guest agent's dataplane. */
export const filePrefix = 'vmcall';

/** Looks at how something stands, ms of the lab's clock apart. */
const lookMs = 20;

/** What the host agent's configuration says. */
export interface HostOptions {
  /** Each domain is checked this often by the host agent, whatever events say, s. */
  interval: number;
  /**
   * Whether the host agent measures by itself, as it does elsewhere: its measurement would begin by setting the counters
   * to nothing by which the lab counts.
   */
  measure?: boolean;
}

export interface ControlPlaneOptions extends HostOptions {
  /** Folder of our own programs. */
  programs: string;
  /** us */
  idleThreshold: number;
  /** Called with what is started. */
  say: (text: string) => void;
}

/** Host agent and guest agent, as a user sets them up, with the command line and the control socket to drive them. */
export class ControlPlane {
  readonly #client = new ControlClient(defaultSocket);
  /** The host agent's process. */
  #agent = 0;

  private constructor(
    private guest: GuestMachine,
    private options: ControlPlaneOptions,
  ) {}

  /** Host agent, enrolment, guest agent, in that order; resolves when the guest has reported that its dataplane runs. */
  static async start(guest: GuestMachine, options: ControlPlaneOptions): Promise<ControlPlane> {
    const plane = new ControlPlane(guest, options);
    mkdirSync(stateFolder, { recursive: true, mode: 0o700 });
    writeFileSync(hostConfiguration, hostToml(options));
    options.say('the host agent');
    await plane.startHostAgent();
    options.say('enrolling the guest');
    await plane.enrol(options);
    options.say('the guest agent');
    await plane.startGuestAgent(guest);
    await plane.until('the guest has a session', ({ guest: seen }) => seen !== null);
    options.say("the guest's dataplane");
    await plane.until('the dataplane runs', ({ guest: seen }) => seen?.health?.dataplane === 'running');
    return plane;
  }

  /** As the guest's systemd does when it boots: in a guest that was started once more, too. */
  async startGuestAgent(guest: GuestMachine): Promise<void> {
    this.guest = guest;
    const address = `${management.guest}/${management.prefix}`;
    const words = [address, guestConfiguration, process.execPath, this.#program];
    // Paths may have spaces.
    const answer = await guest.supervise(`agent ${words.join('\t')}`);
    if (answer !== 'agent 0') throw new Error(`the guest's agent cannot be started: ${answer}`);
  }

  /** Has the host agent take up what changes in its configuration, as after `systemctl reload`. */
  reconfigure(changes: Partial<HostOptions>, further = ''): void {
    this.options = { ...this.options, ...changes };
    writeFileSync(hostConfiguration, `${hostToml(this.options)}${further}`);
    process.kill(this.#agent, 'SIGHUP');
  }

  /** Both agents end, the guest's dataplane with them, on the injected path. */
  async stop(): Promise<void> {
    await this.switchTo('injected');
    const answer = await this.guest.supervise('leave');
    if (answer !== 'left 0') throw new Error(`the guest's agent cannot be stopped: ${answer}`);
    process.kill(this.#agent, 'SIGTERM');
    for (const before = performance.now(); existsSync(`/proc/${this.#agent}/exe`); await delay(lookMs))
      if (performance.now() - before > waitMs) throw new Error('the host agent does not end');
  }

  get hostAgent(): number {
    return this.#agent;
  }

  /** Resolves when it answers and is connected to libvirt. */
  async startHostAgent(): Promise<void> {
    const log = openSync('/run/lab/host-agent.log', 'a');
    const agent = spawn(process.execPath, [this.#program, 'host-agent', '--config', hostConfiguration], {
      stdio: ['ignore', log, log],
      detached: true,
    });
    let ended: string | undefined;
    agent.once('exit', (code, signal) => {
      ended = `${signal ?? `exit code ${code}`}`;
    });
    agent.unref();
    this.#agent = agent.pid ?? 0;
    await this.#waitUntil(
      'the host agent has seen the domain',
      async () => (await this.#client.status()).domains.length > 0,
      () => ended,
    );
  }

  /** `vmcall enroll`, and in the file that it prints what it cannot know. */
  async enrol({ idleThreshold }: ControlPlaneOptions): Promise<void> {
    const printed = await this.vmcall(
      ...['enroll', domainName, '--connect', libvirtUri],
      ...['--host', management.host, '--state', stateFolder],
    );
    const document = parse(printed);
    const dataplane = {
      program: '/run/programs/vmcall-dataplane',
      telemetry_client: '/run/programs/vmcall-telemetry',
      eal_arguments: [
        ...['-l', String(dpdkVcpu), '-a', this.guest.nic, '--in-memory', '--log-level', 'warning'],
        ...['-m', '64'],
      ],
      // Without PAUSE the emulator's virtual CPUs take turns only when a timer ends one's turn.
      arguments: ['--pause'],
      file_prefix: filePrefix,
      idle_threshold_us: idleThreshold,
      start_timeout_s: 600,
    };
    writeFileSync(guestConfiguration, stringify({ ...document, dataplane }), { mode: 0o600 });
  }

  /** The command line, as a user has it; gives its stdout. */
  vmcall(...words: string[]): Promise<string> {
    return this.startVmcall(...words).ended;
  }

  /** The same, running meanwhile. */
  startVmcall(...words: string[]): ReturnType<typeof start> {
    return start(process.execPath, this.#program, ...words);
  }

  get #program(): string {
    return join(this.options.programs, 'vmcall.js');
  }

  async status(): Promise<DomainStatus> {
    const [domain] = (await this.#client.status(domainUuid)).domains;
    if (!domain) throw new Error('the host agent does not know the domain');
    return domain;
  }

  /** By the host agent's control socket; resolves when the desired path is accepted. @throws VmcallError if it is not */
  async desire(path: DesiredPath): Promise<void> {
    await this.#client.desire(domainUuid, path);
  }

  /** The same; resolves when it says that the path is reached. */
  async switchTo(path: DesiredPath): Promise<DomainStatus> {
    await this.desire(path);
    return this.until(
      `${path} is reached`,
      ({ desired, actual, phase }) => desired === path && actual === path && phase === 'reached',
    );
  }

  /** Waits until the domain stands so, for as long as the lab's watchdog lets it. */
  async until(what: string, isSo: (domain: DomainStatus) => boolean): Promise<DomainStatus> {
    let last: DomainStatus | undefined;
    await this.#waitUntil(what, async () => {
      last = await this.status();
      return isSo(last);
    });
    if (!last) throw new Error('no status');
    return last;
  }

  async #waitUntil(
    what: string,
    look: () => Promise<boolean>,
    ended: () => string | undefined = () => undefined,
  ): Promise<void> {
    const before = performance.now();
    let last: unknown;
    while (performance.now() - before < waitMs) {
      const why = ended();
      if (why !== undefined) throw new Error(`waiting until ${what}: the host agent ended: ${why}`);
      try {
        if (await look()) return;
        last = undefined;
      } catch (error) {
        last = error;
      }
      await delay(lookMs);
    }
    const seen = last instanceof Error ? last.message : JSON.stringify(await this.status());
    throw new Error(`not within ${waitMs / 1000} s of the lab's clock: ${what}; seen: ${seen}`);
  }
}

/** A minute is long on the lab's clock, on which cold reads are leaps. */
const waitMs = 120_000;

/** The host agent's configuration. */
function hostToml({ interval, measure = false }: HostOptions): string {
  return stringify({
    guests: { address: management.host },
    libvirt: { uri: libvirtUri },
    state: { folder: stateFolder },
    reconciler: { interval_s: interval, yields_within_s: Math.max(30, 2 * interval) },
    live: { measure },
  });
}
