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

  /** Nothing was taken lately: as good as a new one. */
  isFull(now: number): boolean {
    this.#refill(now);
    return this.#tokens === this.burst;
  }

  #refill(now: number): void {
    this.#tokens = Math.min(this.burst, this.#tokens + ((now - this.#at) * this.perSecond) / 1000);
    this.#at = now;
  }
}
