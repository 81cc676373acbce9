// SPDX-License-Identifier: Apache-2.0

/** So many at once, so many a second after that. */
export class TokenBucket {
  #tokens: number;
  #at: number;

  /** @param now ms on a clock that never goes back */
  constructor(
    private readonly perSecond: number,
    private readonly burst: number,
    now: number,
  ) {
    this.#tokens = burst;
    this.#at = now;
  }

  /** Takes one; false if there is none. */
  take(now: number): boolean {
    this.#refill(now);
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }

  /** So much of what comes now was sent in the time that nobody could take it: above the burst, once. @param ms of that time */
  grant(ms: number): void {
    this.#tokens += (ms * this.perSecond) / 1000;
  }

  /** Nothing was taken lately: as good as a new one. */
  isFull(now: number): boolean {
    this.#refill(now);
    return this.#tokens >= this.burst;
  }

  #refill(now: number): void {
    const more = ((now - this.#at) * this.perSecond) / 1000;
    if (this.#tokens < this.burst) this.#tokens = Math.min(this.burst, this.#tokens + more);
    this.#at = now;
  }
}
