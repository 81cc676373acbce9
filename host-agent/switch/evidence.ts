// SPDX-License-Identifier: Apache-2.0
import type { Evidence } from './seen.js';

/** Counters of a guest's report, since its measurement began. */
export interface ToldCounters {
  measurement: string;
  counters: Readonly<Record<string, number>>;
}

/** Does KVM count VM calls, or has the guest no reason for any? From readings of its counter; times in ms of one monotonic clock. */
export class YieldEvidence {
  #last: number | null = null;
  #grewAt: number | null = null;
  #told: ToldCounters | null = null;
  /** When it last reported packets and no sleep, and when a sleep. */
  #busyAt: number | null = null;
  #sleptAt: number | null = null;

  constructor(private since: number) {}

  /** A reading; null if there is none. A counter that went back is another VM's. */
  read(yields: number | null, now: number): void {
    if (yields !== null && this.#last !== null && yields > this.#last) this.#grewAt = now;
    this.#last = yields;
  }

  /** A report of the guest: one who gets packets without a pause never sleeps, and makes no call. */
  hear(told: ToldCounters, now: number): void {
    const before = this.#told?.measurement === told.measurement ? this.#told.counters : {};
    this.#told = told;
    const grew = (name: string) => (told.counters[name] ?? 0) > (before[name] ?? 0);
    if (told.counters.waits === undefined) return;
    if (grew('waits')) this.#sleptAt = now;
    else if (grew('rx')) this.#busyAt = now;
  }

  /** The guest was told to make VM calls: what was counted before is none of them. */
  begin(now: number): void {
    this.since = now;
    this.#grewAt = null;
    this.#busyAt = null;
    this.#sleptAt = null;
  }

  judge(now: number, withinMs: number): Evidence {
    if (this.#grewAt !== null && now - this.#grewAt <= withinMs) return 'counted';
    // Its lie would be sleeps without calls.
    const isOfLate = (at: number | null) => at !== null && now - at <= withinMs;
    if (isOfLate(this.#busyAt) && !isOfLate(this.#sleptAt)) return 'busy';
    return now - this.since <= withinMs ? 'awaited' : 'missing';
  }
}
