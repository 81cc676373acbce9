// SPDX-License-Identifier: Apache-2.0

/** How long to wait before the next retry: doubled each time up to a bound, and jittered, so that many do not march in step. */
export class BackOff {
  #failures = 0;

  /** @param random gives 0 to 1; ms for the others */
  constructor(
    private readonly least: number,
    private readonly most: number,
    private readonly random: () => number = Math.random,
  ) {}

  /** The next wait, ms: between half and all of what the doubling gives. */
  next(): number {
    const full = Math.min(this.most, this.least * 2 ** Math.min(this.#failures++, 30));
    return full * (0.5 + this.random() / 2);
  }

  /** The longest wait, jittered, ms: when retrying soon is of no use. */
  longest(): number {
    return this.most * (0.5 + this.random() / 2);
  }

  /** It succeeded: start from the shortest again. */
  reset(): void {
    this.#failures = 0;
  }
}
