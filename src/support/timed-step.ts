// SPDX-License-Identifier: Apache-2.0
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { replaceFile } from './atomic-file.js';
import { cacheRoot } from './paths.js';
import { duration, nearlyDone, type Progress } from './progress.js';

/** A long step that says nothing of its course: how long it took here before says how far it is. */
export interface Known {
  /** Names it over runs. */
  key: string;
  text: string;
  /** On two quiet cores, s: for the first time. */
  usual: number;
}

const durationsFile = join(cacheRoot, 'durations.json');
const durationsSchema = z.record(z.string().max(64), z.number().positive().max(86_400));
const tickMs = 1_000;

/** What is remembered, s; nothing if there is nothing that can be read. */
async function remembered(file: string): Promise<Record<string, number>> {
  try {
    return durationsSchema.parse(JSON.parse(await readFile(file, 'utf8')));
  } catch {
    return {};
  }
}

/** A step whose bar goes by the clock. */
export class TimedStep {
  readonly #began = performance.now();
  readonly #timer: NodeJS.Timeout;

  private constructor(
    private readonly progress: Progress,
    private readonly known: Known,
    private readonly expected: number,
    private readonly file: string,
  ) {
    this.#timer = setInterval(() => this.#tick(), tickMs);
    this.#timer.unref();
  }

  static async begin(progress: Progress, known: Known, file = durationsFile): Promise<TimedStep> {
    const expected = (await remembered(file))[known.key] ?? known.usual;
    progress.step(`${known.text} (about ${duration(expected)})`);
    return new TimedStep(progress, known, expected, file);
  }

  /** It is done: how long it took is remembered. */
  async end(): Promise<void> {
    this.cancel();
    const seconds = Math.max(0.001, this.#seconds);
    this.progress.advance(1, this.known.text);
    try {
      const all = { ...(await remembered(this.file)), [this.known.key]: Math.round(seconds * 1000) / 1000 };
      await replaceFile(this.file, `${JSON.stringify(all, null, 2)}\n`, 0o644);
    } catch {
      // Only the next bar is the worse for it.
    }
  }

  /** It will not be done. */
  cancel(): void {
    clearInterval(this.#timer);
  }

  get #seconds(): number {
    return (performance.now() - this.#began) / 1000;
  }

  #tick(): void {
    const seconds = this.#seconds;
    if (seconds > this.expected) this.progress.overrun(this.known.text, seconds, this.expected);
    else this.progress.advance(Math.min(nearlyDone, seconds / this.expected), this.known.text);
  }
}

/** Work that says nothing of its course, with a bar. */
export async function timed<T>(progress: Progress, known: Known, work: () => Promise<T>): Promise<T> {
  const step = await TimedStep.begin(progress, known);
  try {
    const result = await work();
    await step.end();
    return result;
  } finally {
    step.cancel();
  }
}
