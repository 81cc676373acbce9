// SPDX-License-Identifier: Apache-2.0
// A guest of a HostBench: the real guest agent as a process, with the dataplane's stand-in.
import { randomUUID } from 'node:crypto';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'smol-toml';
import { standInDataplane } from '../../../src/bench/guest-overhead.js';
import type { Path } from '../../../src/protocol/fields.js';
import { Command } from '../../guest-agent/support/processes.js';
import type { HostBench } from './host-bench.js';

export class RealGuest {
  #agent: Command | undefined;

  private constructor(
    readonly file: string,
    readonly prefix: string,
  ) {}

  /**
   * @param honest its VM calls are counted where KVM would count them
   * @param path of its own configuration
   * @param pins certificates of the host beside the one that it has
   */
  static async start(
    bench: HostBench,
    {
      honest = true,
      path = 'injected',
      pins = [],
    }: { honest?: boolean; path?: Path; pins?: readonly string[] } = {},
  ): Promise<RealGuest> {
    const prefix = `vmcall-test-${randomUUID().slice(0, 8)}`;
    const { program, client } = await standInDataplane();
    const file = join(bench.folder, `${prefix}.toml`);
    const { url, trust, domain, secret } = await bench.enroll();
    const configuration = {
      host: { url: url.href, certificate_sha256: [trust.fingerprint, ...pins], domain, secret },
      dataplane: {
        program,
        telemetry_client: client,
        eal_arguments: [],
        file_prefix: prefix,
        path,
        arguments: honest ? ['--yields-file', join(bench.kvm, 'vcpu_yields')] : [],
      },
    };
    await writeFile(file, stringify(configuration), { mode: 0o600 });
    const guest = new RealGuest(file, prefix);
    guest.startAgent();
    return guest;
  }

  async secret(): Promise<string> {
    return /^secret = "([^"]+)"$/m.exec(await readFile(this.file, 'utf8'))?.[1] ?? '';
  }

  get agent(): Command {
    if (!this.#agent) throw new Error('no guest agent was started');
    return this.#agent;
  }

  startAgent(): void {
    this.#agent = Command.start(['guest-agent', '--config', this.file]);
  }

  /** Of the dataplane's stand-in; undefined if the agent has not said yet. */
  get dataplanePid(): number | undefined {
    const there = this.agent.log.filter(({ message }) => message === 'the dataplane is there').at(-1);
    return there?.pid as number | undefined;
  }

  async stop(): Promise<void> {
    const pid = this.dataplanePid;
    await this.agent.kill('SIGKILL');
    try {
      if (pid !== undefined) process.kill(pid, 'SIGKILL');
    } catch {
      // It is gone already.
    }
    await rm(`/var/run/dpdk/${this.prefix}`, { recursive: true, force: true });
  }
}
