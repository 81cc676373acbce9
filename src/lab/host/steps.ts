// SPDX-License-Identifier: Apache-2.0
import { emit } from './events.js';

/** Announces each step to L0 before it begins, with the lab's clock. */
export class Steps {
  #taken = 0;

  constructor(private readonly total: number) {}

  async take<T>(text: string, work: () => Promise<T>): Promise<T> {
    const fraction = Math.min(1, this.#taken++ / this.total);
    emit({ type: 'step', text, fraction, clock: Number(process.hrtime.bigint()) });
    return work();
  }
}
