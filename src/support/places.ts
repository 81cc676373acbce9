// SPDX-License-Identifier: Apache-2.0

/** So many may do something at once; the others wait, first come, first served. */
export class Places {
  readonly #waiting: (() => void)[] = [];

  /** @param free at the beginning, all of them */
  constructor(private free: number) {}

  /** Resolves when there is a place; it must be given back. */
  async take(): Promise<void> {
    if (this.free > 0) this.free--;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  give(): void {
    const next = this.#waiting.shift();
    if (next) next();
    else this.free++;
  }
}
