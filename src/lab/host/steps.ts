// SPDX-License-Identifier: Apache-2.0
import { emit } from './events.js';

/** Announces each step to L0 before it begins, with the lab's clock. */
export class Steps {
  #taken = 0;

  constructor(private readonly total: number) {}

  async take<T>(text: string, work: () => Promise<T>): Promise<T> {
    this.#taken++;
    this.say(text);
    return work();
  }

  /** A sign of life within the present step. */
  say(text: string): void {
    const fraction = Math.min(1, Math.max(0, this.#taken - 1) / this.total);
    emit({ type: 'step', text, fraction, clock: Number(process.hrtime.bigint()) });
  }
}
