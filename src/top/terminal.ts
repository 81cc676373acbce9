// SPDX-License-Identifier: Apache-2.0
import type { Line, Tone } from './table.js';

export type Key = 'up' | 'down' | 'page-up' | 'page-down' | string;

/** xterm's control sequences, as terminfo has them for any terminal of today. */
const enter = '\x1b[?1049h\x1b[?25l';
const leave = '\x1b[?25h\x1b[?1049l';
/** Without colour where NO_COLOR is set to anything (no-color.org): bold in place of red. */
export const tonesFor = ({ NO_COLOR }: { NO_COLOR?: string | undefined }): Record<Tone, string> => ({
  plain: '',
  head: '\x1b[7m',
  soft: '\x1b[2m',
  bad: NO_COLOR ? '\x1b[1m' : '\x1b[31m',
});
const tones = tonesFor(process.env);
const named: Readonly<Record<string, Key>> = {
  '\x1b[A': 'up',
  '\x1b[B': 'down',
  '\x1b[5~': 'page-up',
  '\x1b[6~': 'page-down',
};
const endSignals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** The whole terminal for as long as it is open; whatever ends the process, it is given back as it was. */
export class Terminal {
  readonly #restore = () => this.#leave();
  #isIn = false;

  /** @param onKey a key; @param onRedraw the size changed, or the process goes on after a stop */
  constructor(
    private readonly onKey: (key: Key) => void,
    private readonly onRedraw: () => void,
    private readonly onEnd: (signal: NodeJS.Signals) => void,
  ) {}

  open(): void {
    process.once('exit', this.#restore);
    for (const signal of endSignals) process.on(signal, this.onEnd);
    process.on('SIGCONT', this.#onContinue);
    process.stdout.on('resize', this.onRedraw);
    process.stdin.on('data', this.#onData);
    this.#enter();
  }

  close(): void {
    process.off('exit', this.#restore);
    for (const signal of endSignals) process.off(signal, this.onEnd);
    process.off('SIGCONT', this.#onContinue);
    process.stdout.off('resize', this.onRedraw);
    process.stdin.off('data', this.#onData);
    process.stdin.pause();
    this.#leave();
  }

  get width(): number {
    return process.stdout.columns || 80;
  }

  get height(): number {
    return process.stdout.rows || 24;
  }

  /** In one write, and over what is there: nothing flickers. */
  draw(lines: readonly Line[]): void {
    if (!this.#isIn) return;
    const text = lines.map(({ text: words, tone }) => {
      const filled = tone === 'head' ? words.padEnd(this.width) : words;
      return `${tones[tone]}${filled}${tones[tone] ? '\x1b[0m' : ''}\x1b[K`;
    });
    process.stdout.write(`\x1b[H${text.join('\r\n')}\x1b[J`);
  }

  readonly #onContinue = () => {
    this.#enter();
    this.onRedraw();
  };

  readonly #onData = (data: Buffer) => {
    const key = data.toString('latin1');
    // In raw mode the terminal makes no signals of these.
    if (key === '\x03') this.onEnd('SIGINT');
    else if (key === '\x1a') this.#suspend();
    else this.onKey(named[key] ?? key);
  };

  #suspend(): void {
    this.#leave();
    process.kill(process.pid, 'SIGSTOP');
  }

  #enter(): void {
    if (this.#isIn) return;
    this.#isIn = true;
    if (process.stdin.isTTY) process.stdin.setRawMode(true);
    process.stdout.write(enter);
  }

  #leave(): void {
    if (!this.#isIn) return;
    this.#isIn = false;
    if (process.stdin.isTTY) process.stdin.setRawMode(false);
    process.stdout.write(leave);
  }
}
