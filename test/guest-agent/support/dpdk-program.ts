// SPDX-License-Identifier: Apache-2.0
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { execa } from 'execa';
import type { NetworkNamespace } from './network-namespace.js';

let started = 0;

/** A DPDK program without huge pages and NICs, asked over its telemetry. */
export class DpdkProgram {
  /** What it has printed, on both. */
  output = '';
  readonly ended: Promise<number | null>;

  private constructor(
    readonly child: ChildProcess,
    private readonly client: string,
    readonly filePrefix: string,
  ) {
    for (const stream of [child.stdout, child.stderr])
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.output += text;
      });
    this.ended = once(child, 'exit').then(([code]) => code as number | null);
  }

  /** `eal` beside what every program here is given; `client` is our telemetry client. */
  static start(
    namespace: NetworkNamespace,
    program: string,
    client: string,
    options: {
      eal?: readonly string[];
      own?: readonly string[];
      environment?: Record<string, string>;
      prefix?: string;
    },
  ): DpdkProgram {
    const prefix = options.prefix ?? `vmcall-test-${process.pid}-${++started}`;
    const { eal = [], own = [], environment } = options;
    const common = ['--no-huge', '-m', '128', '--no-pci', '--file-prefix', prefix];
    const child = namespace.start([program, ...common, ...eal, '--', ...own], environment);
    return new DpdkProgram(child, client, prefix);
  }

  /** The object under the command's name; undefined while it does not answer. */
  async ask(command: string): Promise<Record<string, unknown>> {
    const socket = `/var/run/dpdk/${this.filePrefix}/dpdk_telemetry.v2`;
    const { stdout } = await execa(this.client, ['--socket', socket, command]);
    const answer = JSON.parse(stdout) as Record<string, Record<string, unknown>>;
    return answer[command.split(',')[0] ?? ''] ?? {};
  }

  async number(command: string, key: string): Promise<number> {
    return Number((await this.ask(command))[key]);
  }

  /** Until it has printed something like this. */
  async says(text: RegExp, timeout = 60_000): Promise<void> {
    const until = performance.now() + timeout;
    while (!text.test(this.output)) {
      if (performance.now() > until || this.child.exitCode !== null)
        throw new Error(`it does not say ${text}: ${this.output}`);
      await delay(50);
    }
  }

  async answers(timeout = 60_000): Promise<void> {
    const until = performance.now() + timeout;
    for (;;) {
      try {
        await this.ask('/info');
        return;
      } catch (error) {
        if (performance.now() > until || this.child.exitCode !== null)
          throw new Error(`it does not answer: ${this.output}`, { cause: error });
        await delay(50);
      }
    }
  }

  /** A line on its standard input: a command of testpmd's. */
  types(line: string): void {
    this.child.stdin?.write(`${line}\n`);
  }

  async stop(): Promise<number | null> {
    this.child.kill('SIGINT');
    return this.ended;
  }
}
