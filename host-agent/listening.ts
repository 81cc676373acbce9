// SPDX-License-Identifier: Apache-2.0
import { setTimeout as delay } from 'node:timers/promises';
import { BackOff } from '../src/support/back-off.js';
import { describeError } from '../src/support/errors.js';
import type { Log } from '../src/support/log.js';

/**
 * Listening somewhere, which an address that is not there yet, a port that is taken or a full disk keep from being: tried
 * again for as long as it takes, for nobody else restarts the agent. Only what the file itself shows ends it.
 */
export class Listening {
  readonly #stop = new AbortController();
  readonly #backOff = new BackOff(500, 10_000);
  #problem: string | undefined;
  #going: Promise<void> = Promise.resolve();

  /** @param open listens; rejects where it cannot yet */
  constructor(
    readonly what: 'guests' | 'metrics' | 'web',
    private readonly open: () => Promise<void>,
    private readonly log: Log,
  ) {}

  /** Why nobody is listened to; undefined while all is well. */
  get problem(): string | undefined {
    return this.#problem;
  }

  /** Resolves after the first try, however it went. */
  async start(): Promise<void> {
    if (!(await this.#try())) this.#going = this.#goOn();
  }

  /** Tries it this time alone. @throws as it does */
  once(): Promise<void> {
    return this.open();
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#going;
    this.#problem = undefined;
  }

  async #goOn(): Promise<void> {
    const { signal } = this.#stop;
    do await delay(this.#backOff.next(), undefined, { signal }).catch(() => {});
    while (!signal.aborted && !(await this.#try()));
  }

  async #try(): Promise<boolean> {
    try {
      await this.open();
      this.#problem = undefined;
      return true;
    } catch (error) {
      const problem = (describeError(error).split('\n')[0] ?? '').slice(0, 1000);
      // Once for each reason: a port that stays taken must not flood the log.
      if (problem !== this.#problem) this.log.error({ err: error }, `${problem}; retrying`);
      this.#problem = problem;
      return false;
    }
  }
}
