// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { execa } from 'execa';

/** A terminal that programs run in and a test reads: tmux, with a server of its own. */
export class Tmux {
  readonly #server = `vmcall-${process.pid}-${randomBytes(4).toString('hex')}`;

  private constructor() {}

  /** A shell, whose prompt is `$ `. */
  static async start(width: number, height: number): Promise<Tmux> {
    const tmux = new Tmux();
    const shell = "env -i PATH=/usr/bin:/bin TERM=screen PS1='$ ' sh";
    await tmux.#run('new-session', '-d', '-x', String(width), '-y', String(height), shell);
    return tmux;
  }

  /** Types it, and Enter. */
  async type(line: string): Promise<void> {
    await this.#run('send-keys', '-l', line);
    await this.#run('send-keys', 'Enter');
  }

  async key(name: string): Promise<void> {
    await this.#run('send-keys', name);
  }

  async resize(width: number, height: number): Promise<void> {
    await this.#run('resize-window', '-x', String(width), '-y', String(height));
  }

  /** What stands on the screen. */
  async screen(): Promise<string> {
    return this.#run('capture-pane', '-p');
  }

  /** Of the terminal itself: is the alternate screen on, is the cursor shown? */
  async modes(): Promise<{ alternate: boolean; cursor: boolean }> {
    const said = await this.#run('display-message', '-p', '#{alternate_on} #{cursor_flag}');
    return { alternate: said.startsWith('1'), cursor: said.endsWith('1') };
  }

  /** What its shell runs. */
  async children(): Promise<number[]> {
    const shell = await this.#run('display-message', '-p', '#{pane_pid}');
    const children = await readFile(`/proc/${shell}/task/${shell}/children`, 'utf8');
    return children.trim().split(' ').map(Number);
  }

  async stop(): Promise<void> {
    await this.#run('kill-server').catch(() => {});
  }

  async #run(...words: string[]): Promise<string> {
    const { stdout } = await execa('tmux', ['-L', this.#server, '-f', '/dev/null', ...words]);
    return stdout;
  }
}
