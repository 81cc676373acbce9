// SPDX-License-Identifier: Apache-2.0
import type { Evidence } from './seen.js';

/** Does KVM count VM calls? From readings of its counter; times in ms of one monotonic clock. */
export class YieldEvidence {
  #last: number | null = null;
  #grewAt: number | null = null;

  constructor(private since: number) {}

  /** A reading; null if there is none. A counter that went back is another VM's. */
  read(yields: number | null, now: number): void {
    if (yields !== null && this.#last !== null && yields > this.#last) this.#grewAt = now;
    this.#last = yields;
  }

  /** The guest was told to make VM calls: what was counted before is none of them. */
  begin(now: number): void {
    this.since = now;
    this.#grewAt = null;
  }

  judge(now: number, withinMs: number): Evidence {
    if (this.#grewAt !== null && now - this.#grewAt <= withinMs) return 'counted';
    return now - this.since <= withinMs ? 'awaited' : 'missing';
  }
}
