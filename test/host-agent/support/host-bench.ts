// SPDX-License-Identifier: Apache-2.0
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import { hostCertificate } from '../../../host-agent/enrolment/certificate.js';
import { EnrolmentStore } from '../../../host-agent/enrolment/store.js';
import { ControlClient } from '../../../src/control/client.js';
import type { DomainStatus } from '../../../src/control/schema.js';
import { Command } from '../../guest-agent/support/processes.js';
import { StandInGuest } from './stand-in-guest.js';

/** The one domain of libvirt's test driver (libvirt: src/test/test_driver.c). */
export const domain = { name: 'test', uuid: '6695eb01-f6a4-8304-79aa-97f2502e193f' };

const switchFiles = ['vcpu_yield', 'irqfd_hardirq'];

/** A host in a folder: KVM's files of one VM, the host agent's configuration and state. */
export class HostBench {
  #agent: Command | undefined;
  readonly #guests: StandInGuest[] = [];
  #port = 0;

  private constructor(
    readonly folder: string,
    private readonly uri: string,
  ) {}

  static async create(uri: string): Promise<HostBench> {
    const bench = new HostBench(await mkdtemp(join(tmpdir(), 'vmcall-host-agent-')), uri);
    await bench.startVm(4711);
    await bench.configure();
    return bench;
  }

  get root(): string {
    return join(this.folder, 'host');
  }

  /** `--state` of `vmcall tune`. */
  get tuning(): string {
    return join(this.folder, 'tuning');
  }

  get socket(): string {
    return join(this.folder, 'control.sock');
  }

  get file(): string {
    return join(this.folder, 'host-agent.toml');
  }

  get client(): ControlClient {
    return new ControlClient(this.socket);
  }

  get agent(): Command {
    if (!this.#agent) throw new Error('no host agent was started');
    return this.#agent;
  }

  kvm = '';
  /** More of the configuration's file. */
  more = '';
  #reconciler = 'interval_s = 0.3\nyields_within_s = 3\nretry_least_s = 0.2\nretry_most_s = 0.5';

  /** A QEMU process as libvirt and KVM show it, both switches off. */
  async startVm(pid: number, files = [...switchFiles, 'vcpu_yields', 'doorbell_rings']): Promise<void> {
    if (this.kvm) await rm(this.kvm, { recursive: true, force: true });
    this.kvm = join(this.root, 'sys/kernel/kvm', `${pid}-12`);
    await mkdir(this.kvm, { recursive: true });
    for (const file of files)
      await writeFile(join(this.kvm, file), switchFiles.includes(file) ? '0\n' : '000000000\n');
    await mkdir(join(this.root, `proc/${pid}`), { recursive: true });
    const words = ['qemu-system-x86_64', '-name', 'guest=other', '-uuid', domain.uuid];
    await writeFile(join(this.root, `proc/${pid}/cmdline`), words.join('\0'));
  }

  async configure(
    changes: { address?: string; uri?: string; socket?: string; readers?: string; reconciler?: string } = {},
  ): Promise<void> {
    await writeFile(
      this.file,
      `[guests]\naddress = "${changes.address ?? '127.0.0.1'}"\nport = ${this.#port}\n` +
        `[libvirt]\nuri = ${JSON.stringify(changes.uri ?? this.uri)}\n` +
        `[control]\nsocket = ${JSON.stringify(changes.socket ?? this.socket)}\n` +
        (changes.readers === undefined ? '' : `readers = ${JSON.stringify(changes.readers)}\n`) +
        `[state]\nfolder = ${JSON.stringify(join(this.folder, 'state'))}\n` +
        `[tuning]\nstate = ${JSON.stringify(this.tuning)}\ninterval_s = 0.2\n` +
        `[reconciler]\n${changes.reconciler ?? this.#reconciler}\n${this.more}`,
    );
  }

  /**
   * @param dieAt a write `FILE=VALUE` at which it kills itself, or `FILE=VALUE+`: just after it
   * @param inside as Command.start() has it
   */
  async startAgent(dieAt = '', env: NodeJS.ProcessEnv = {}, inside: readonly string[] = []): Promise<void> {
    const program = 'test/host-agent/support/agent-process.js';
    this.#agent = Command.start([this.file, this.root, dieAt], env, program, inside);
    if (this.#port === 0) {
      await this.#agent.logged('"listening"');
      const listening = this.#agent.log.find(({ message }) => message === 'listening');
      this.#port = (listening as unknown as { guests: { port: number } }).guests.port;
      await this.configure();
    }
  }

  /** One that cannot listen for guests yet. */
  async startAgentAnywhere(): Promise<void> {
    this.#agent = Command.start([this.file, this.root, ''], {}, 'test/host-agent/support/agent-process.js');
  }

  get guestUrl(): URL {
    return new URL(`wss://127.0.0.1:${this.#port}/guest`);
  }

  /** The port that a listener of the agent was given. */
  async port(listener: 'metrics' | 'web'): Promise<number> {
    const isIt = (line: Record<string, unknown>) => typeof line[listener] === 'object';
    await expect.poll(() => this.agent.log.some(isIt), { timeout: 20_000 }).toBe(true);
    return (this.agent.log.findLast(isIt) as Record<string, { port: number }>)[listener]?.port ?? 0;
  }

  /** A new secret for the domain's guest; the previous one is invalid. */
  async enroll() {
    const state = join(this.folder, 'state');
    const { fingerprint } = await hostCertificate(state);
    const secret = await new EnrolmentStore(state).issue(domain.uuid);
    return { url: this.guestUrl, domain: domain.uuid, secret, trust: { fingerprint } };
  }

  async startGuest(): Promise<StandInGuest> {
    const guest = new StandInGuest(await this.enroll(), () => this.kvm);
    this.#guests.push(guest);
    return guest;
  }

  /** Waits until the host agent says this of the domain. */
  async until(wanted: Partial<DomainStatus> | Record<string, unknown>): Promise<DomainStatus> {
    let status: DomainStatus | undefined;
    await expect
      .poll(
        async () => {
          try {
            [status] = (await this.client.status(domain.uuid)).domains;
          } catch (error) {
            return error;
          }
          return status;
        },
        { timeout: 20_000, interval: 50 },
      )
      .toMatchObject(wanted);
    if (!status) throw new Error('no status');
    return status;
  }

  async switches(): Promise<string[]> {
    const read = async (file: string) => (await readFile(join(this.kvm, file), 'utf8')).trim();
    return Promise.all(switchFiles.map(read));
  }

  async stop(): Promise<void> {
    await Promise.all(this.#guests.map((guest) => guest.stop()));
    await this.#agent?.kill('SIGKILL');
    await rm(this.folder, { recursive: true, force: true });
  }
}
