// SPDX-License-Identifier: Apache-2.0
import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { execa } from 'execa';
import { expect } from 'vitest';
import { makeIn } from '../../../src/setup/build.js';
import { dataplaneFolder, dataplaneSources } from '../../../src/setup/dataplane-sources.js';
import { cached } from '../../../src/support/cache.js';
import { projectRoot } from '../../../src/support/paths.js';
import type { Ask } from '../../host-agent/support/host-process.js';

const dist = (...words: string[]) => join(projectRoot, 'dist', ...words);

/** The dataplane and its client, linked to Debian's shared DPDK: its drivers for NICs that are none come with it. */
export async function sharedDataplane(): Promise<{ program: string; client: string }> {
  const files = [...dataplaneSources];
  const { stdout: version } = await execa('pkg-config', ['--modversion', 'libdpdk']);
  const folder = await cached('dataplane-shared', { files, values: [version] }, async (target) => {
    await makeIn(dataplaneFolder, target);
  });
  return { program: join(folder, 'vmcall-dataplane'), client: join(folder, 'vmcall-telemetry') };
}

type HostEvent = { event: string } & Record<string, unknown>;

/** The host's guest sessions as a process. */
export class HostProcess {
  readonly events: HostEvent[] = [];
  #asked = 0;

  private constructor(
    private readonly child: ChildProcess,
    readonly port: number,
  ) {
    child.on('message', (event: HostEvent) => this.events.push(event));
  }

  static async start(state: string, port = 0): Promise<HostProcess> {
    const child = fork(dist('test', 'host-agent', 'support', 'host-process.js'), [state, String(port)]);
    const [listening] = (await once(child, 'message')) as [{ port: number }];
    return new HostProcess(child, listening.port);
  }

  /** The first event of that kind which `wanted` takes, from the `from`th event on. */
  async event(
    kind: string,
    wanted: (event: HostEvent) => boolean = () => true,
    from = 0,
  ): Promise<HostEvent> {
    const found = () => this.events.slice(from).find((event) => event.event === kind && wanted(event));
    const seen = () => `waiting for ${kind}; seen: ${JSON.stringify(this.events.slice(-8)).slice(0, 2000)}`;
    await expect.poll(found, { timeout: 60_000, interval: 20, message: seen() }).toBeDefined();
    return found() as HostEvent;
  }

  async ask(domain: string, method: Ask['method'], params: Ask['params']): Promise<Record<string, unknown>> {
    const number = ++this.#asked;
    this.child.send({ number, domain, method, params } satisfies Ask);
    return this.event('answer', (event) => event.number === number);
  }

  async memory(): Promise<{ rss: number; connections: number }> {
    const from = this.events.length;
    this.child.send('memory');
    return (await this.event('memory', undefined, from)) as unknown as { rss: number; connections: number };
  }

  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const exited = once(this.child, 'exit');
    this.child.kill(signal);
    await exited;
  }
}

/** `vmcall WORDS` as a process, with what it said on stderr. */
export class Command {
  said = '';
  readonly exited: Promise<[number | null, NodeJS.Signals | null]>;

  private constructor(readonly child: ChildProcess) {
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.said += text;
    });
    this.exited = once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>;
  }

  /**
   * @param program another than `vmcall`, in `dist`
   * @param inside words of a command that runs it as its own, and becomes it
   */
  static start(
    words: string[],
    env: NodeJS.ProcessEnv = {},
    program = 'src/cli/main.js',
    inside: readonly string[] = [],
  ): Command {
    const [command, ...rest] = [...inside, process.execPath, dist(program), ...words];
    const child = spawn(command ?? process.execPath, rest, {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { ...process.env, ...env },
    });
    return new Command(child);
  }

  /** Its log lines; what the dataplane says among them is left out. */
  get log(): Record<string, unknown>[] {
    return this.said
      .split('\n')
      .filter((line) => line.startsWith('{') && line.endsWith('}'))
      .map((line) => JSON.parse(line));
  }

  async logged(text: string): Promise<void> {
    await expect.poll(() => this.said, { timeout: 60_000 }).toContain(text);
  }

  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    this.child.kill(signal);
    await this.exited;
  }
}

/** What `vmcall WORDS` prints. */
export async function output(...words: string[]): Promise<string> {
  const { stdout } = await execa(process.execPath, [dist('src', 'cli', 'main.js'), ...words]);
  return stdout;
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
