// SPDX-License-Identifier: Apache-2.0
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { execa } from 'execa';
import { expect } from 'vitest';
import { type GeneratorResult, generatorResultSchema } from '../../../src/results/generator-result.js';
import { makeIn } from '../../../src/setup/build.js';
import { cached } from '../../../src/support/cache.js';
import { projectRoot } from '../../../src/support/paths.js';

/** A network namespace of its own: what runs in it meets none of the machine's interfaces, and is gone with it. */
export class NetworkNamespace {
  readonly #programs: ChildProcess[] = [];

  private constructor(private readonly holder: ChildProcess) {}

  static async create(): Promise<NetworkNamespace> {
    const holder = spawn(
      'unshare',
      ['--net', 'sh', '-c', 'ip link set lo up && echo up && exec sleep infinity'],
      {
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    );
    await once(holder.stdout, 'data');
    return new NetworkNamespace(holder);
  }

  #inside(words: readonly string[]): [string, string[]] {
    return ['nsenter', [`--net=/proc/${this.holder.pid}/ns/net`, ...words]];
  }

  /** Runs a command to its end, and gives what it printed. */
  async run(...words: string[]): Promise<string> {
    const [command, rest] = this.#inside(words);
    return (await execa(command, rest)).stdout;
  }

  /** `environment` is the program's alone: a library to preload is none for what starts it. */
  start(words: readonly string[], environment: Readonly<Record<string, string>> = {}): ChildProcess {
    const settings = Object.entries(environment).map(([name, value]) => `${name}=${value}`);
    const [command, rest] = this.#inside(['env', ...settings, ...words]);
    const child = spawn(command, rest, { stdio: ['pipe', 'pipe', 'pipe'] });
    this.#programs.push(child);
    return child;
  }

  /** Ends everything in it, and it. */
  async close(): Promise<void> {
    for (const child of [...this.#programs, this.holder]) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
  }

  /** Numbered packets by the project's generator, out of an interface and back by whoever returns them. */
  async packets(netInterface: string, ...words: string[]): Promise<GeneratorResult> {
    const generator = await generatorProgram();
    const printed = await this.run(generator, '--interface', netInterface, '--json', ...words);
    return generatorResultSchema.parse(JSON.parse(printed));
  }

  /** Until each of `count` packets comes back: a machine that is busy elsewhere may be late with some. */
  async returns(netInterface: string, count: number): Promise<void> {
    await expect
      .poll(
        async () =>
          (await this.packets(netInterface, '--count', `${count}`, '--interval-us', '2000')).received,
        { timeout: 60_000 },
      )
      .toBe(count);
  }
}

async function generatorProgram(): Promise<string> {
  const source = join(projectRoot, 'src', 'generator');
  const files = [source, join(projectRoot, 'guest-agent', 'library', 'measure')];
  const folder = await cached('generator', { files, values: [] }, async (target) => {
    await makeIn(source, target);
  });
  return join(folder, 'vmcall-generator');
}
