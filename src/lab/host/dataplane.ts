// SPDX-License-Identifier: Apache-2.0
import { type ChildProcess, spawn } from 'node:child_process';
import { openSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { run } from './commands.js';
import { dpdkCpu, dpdkVcpu } from './cpus.js';
import type { GuestMachine } from './guest-machine.js';

export type Policy = 'poll' | 'interrupt' | 'pv-kick' | 'vmcall';

/** The DPDK program, wherever it runs: asked over DPDK telemetry. */
export abstract class LabDataplane {
  /** One telemetry command, such as `/vmcall/stats`; gives the object under the command's name. */
  async command(command: string, timeout = answerTimeout): Promise<Record<string, unknown>> {
    const answer = JSON.parse(await this.request(command, timeout)) as Record<string, unknown>;
    const body = answer[command.split(',')[0] ?? command];
    if (typeof body !== 'object' || body === null)
      throw new Error(`telemetry ${command}: unexpected answer ${JSON.stringify(answer).slice(0, 200)}`);
    return body as Record<string, unknown>;
  }

  async setPolicy(policy: Policy): Promise<void> {
    const answer = await this.command(`/vmcall/policy,${policy}`);
    if (answer.policy !== policy)
      throw new Error(`the dataplane did not switch to ${policy}: ${JSON.stringify(answer)}`);
  }

  async setIdleThreshold(microseconds: number): Promise<void> {
    await this.command(`/vmcall/idle_threshold_us,${microseconds}`);
  }

  /** The counters of `/vmcall/stats`. */
  async counters(): Promise<Record<string, number>> {
    const stats = await this.command('/vmcall/stats');
    return Object.fromEntries(
      Object.entries(stats).filter((entry): entry is [string, number] => typeof entry[1] === 'number'),
    );
  }

  async reset(): Promise<void> {
    const { code, error } = await this.command('/vmcall/reset');
    if (code !== '') throw new Error(`the dataplane did not reset its counters: ${code}: ${error}`);
  }

  async histogram(): Promise<Record<string, unknown>> {
    return this.command('/vmcall/histogram');
  }

  /** `timeout` in ms of the lab's clock. */
  protected abstract request(command: string, timeout: number): Promise<string>;
  abstract stop(): Promise<void>;
}

export interface DataplaneOptions {
  /** File name of the program: `vmcall-dataplane`, or the one built broken on purpose. */
  program: string;
  /** To begin with; a program that polls is slow to start under the instruction clock. */
  policy: Policy;
  /** us */
  idleThreshold: number;
  /** Test aid: time between the last poll and arming, us, which widens the window of the race. */
  armDelay?: number;
  /** False: take only packets sent to the NIC's own address. */
  promiscuous?: false;
}

function commandLine(options: DataplaneOptions, lcore: number, nic: string, prefix: string): string[] {
  return [
    options.program,
    ...[
      '-l',
      String(lcore),
      '-a',
      nic,
      '--file-prefix',
      prefix,
      '--in-memory',
      '--log-level',
      'warning',
      '-m',
      '64',
    ],
    '--',
    // Without PAUSE the emulator's virtual CPUs take turns only when a timer ends one's turn.
    ...['--pause', '--policy', options.policy, '--idle-threshold-us', String(options.idleThreshold)],
    ...(options.armDelay === undefined ? [] : ['--arm-delay-us', String(options.armDelay)]),
    ...(options.promiscuous === false ? ['--no-promiscuous'] : []),
  ];
}

const socketPath = (prefix: string) => `/var/run/dpdk/${prefix}/dpdk_telemetry.v2`;
const answerTimeout = 60_000;
/** What is sent before the guest has opened its end of the port is lost, so the first question is short. */
const probeTimeout = 1_000;
const probes = 60;

/** In the guest, on the DPDK vCPU. */
export class GuestDataplane extends LabDataplane {
  private constructor(private readonly guest: GuestMachine) {
    super();
  }

  static async start(guest: GuestMachine, options: DataplaneOptions): Promise<GuestDataplane> {
    await guest.supervise(`start ${commandLine(options, dpdkVcpu, guest.nic, 'guest').join(' ')}`);
    return GuestDataplane.attach(guest, 'guest');
  }

  /** One that runs already, with this EAL file prefix. */
  static async attach(guest: GuestMachine, filePrefix: string): Promise<GuestDataplane> {
    await guest.supervise(`bridge --socket ${socketPath(filePrefix)}`);
    const dataplane = new GuestDataplane(guest);
    await untilAnswering(dataplane);
    return dataplane;
  }

  protected override async request(command: string, timeout: number): Promise<string> {
    return this.guest.control.ask(command, timeout, (line) =>
      line.includes(command.split(',')[0] ?? command),
    );
  }

  override async stop(): Promise<void> {
    await this.guest.supervise('stop');
  }
}

/** On the host itself, on the DPDK CPU. */
export class NativeDataplane extends LabDataplane {
  private constructor(
    private readonly folder: string,
    private readonly program: ChildProcess,
  ) {
    super();
  }

  static async start(folder: string, nic: string, options: DataplaneOptions): Promise<NativeDataplane> {
    const [program = '', ...words] = commandLine(options, dpdkCpu, nic, 'host');
    const log = openSync('/run/lab/native-dataplane.log', 'a');
    const child = spawn(`${folder}/${program}`, words, { stdio: ['ignore', log, log] });
    const dataplane = new NativeDataplane(folder, child);
    await untilAnswering(dataplane);
    return dataplane;
  }

  get pid(): number {
    if (this.program.pid === undefined) throw new Error('the native dataplane never started');
    return this.program.pid;
  }

  protected override async request(command: string): Promise<string> {
    return run(`${this.folder}/vmcall-telemetry`, '--socket', socketPath('host'), command);
  }

  override async stop(): Promise<void> {
    const exited = new Promise<void>((resolve) => this.program.once('exit', () => resolve()));
    this.program.kill('SIGINT');
    await exited;
  }
}

async function untilAnswering(dataplane: LabDataplane): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await dataplane.command('/vmcall/policy', probeTimeout);
      return;
    } catch (error) {
      if (attempt === probes) throw new Error('the dataplane started but does not answer', { cause: error });
      await delay(250);
    }
  }
}
