// SPDX-License-Identifier: Apache-2.0
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** A shell in a root folder, in layers that are gone after it; see run-in-root.sh. */
export class RootShell {
  readonly #shell: ChildProcessWithoutNullStreams;
  readonly #lines: AsyncIterator<string>;
  #commands = 0;

  /** @param packages a folder that is at /srv/vmcall-packages there */
  constructor(root: string, packages: string) {
    const script = join(import.meta.dirname, 'run-in-root.sh');
    this.#shell = spawn('unshare', [
      ...['--mount', '--pid', '--fork', '--kill-child', script],
      ...[root, packages],
    ]);
    this.#lines = createInterface({ input: this.#shell.stdout })[Symbol.asyncIterator]();
  }

  /** Both streams of a command line, and how it ended. */
  async try(command: string): Promise<{ exitCode: number; all: string }> {
    const end = `end of command ${++this.#commands}:`;
    this.#shell.stdin.write(`( ${command}\n) </dev/null 2>&1; echo; echo "${end} $?"\n`);
    const all: string[] = [];
    for (;;) {
      const { value: line, done } = await this.#lines.next();
      if (done) throw new Error(`the shell ended at: ${command}\n${all.join('\n')}`);
      if (line.startsWith(end))
        return { exitCode: Number(line.slice(end.length)), all: all.join('\n').trimEnd() };
      all.push(line);
    }
  }

  /** The same. @throws Error if it does not end with 0 */
  async run(command: string): Promise<string> {
    const { exitCode, all } = await this.try(command);
    if (exitCode !== 0) throw new Error(`exit code ${exitCode}: ${command}\n${all}`);
    return all;
  }

  async end(): Promise<void> {
    const ended = once(this.#shell, 'exit');
    this.#shell.stdin.end();
    await ended;
  }
}
