// SPDX-License-Identifier: Apache-2.0
import { setTimeout as delay } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import type { DomainStatus } from '../../control/schema.js';
import { VmcallError } from '../../support/errors.js';
import type { ToldEvent } from '../events.js';
import type { ControlPlane } from './control-plane.js';

/** Between two looks, and for how long one waits, ms of the lab's clock. */
const lookMs = 20;
const patienceMs = 120_000;

/** Whether the VM call is desired, and reached. */
export const isReached = ({ desired, actual, phase }: ToldEvent): boolean =>
  desired === 'vmcall' && actual === 'vmcall' && phase === 'reached';

/** Keeps what the host agent reports of the domain from a moment on, each change of it. */
export class FaultWatch {
  readonly told: ToldEvent[] = [];
  readonly #since = performance.now();

  constructor(private readonly plane: ControlPlane) {}

  /** ms of the lab's clock since the watch began */
  get elapsed(): number {
    return performance.now() - this.#since;
  }

  /** Resolves once the latest, and all that was reported before, is so. */
  async until(what: string, isSo: (latest: ToldEvent, all: readonly ToldEvent[]) => boolean): Promise<void> {
    const before = performance.now();
    while (performance.now() - before < patienceMs) {
      const latest = await this.#look();
      if (isSo(latest, this.told)) return;
      await delay(lookMs);
    }
    throw new Error(
      `not within ${patienceMs / 1000} s of the lab's clock: ${what}; reported: ${JSON.stringify(this.told)}`,
    );
  }

  async #look(): Promise<ToldEvent> {
    const { after, ...latest } = { after: this.elapsed, ...(await this.#ask()) };
    const { after: _, ...last } = this.told.at(-1) ?? { after };
    if (!isDeepStrictEqual(latest, last)) this.told.push({ after, ...latest });
    return { after, ...latest };
  }

  async #ask(): Promise<Omit<ToldEvent, 'after'>> {
    try {
      const { desired, actual, phase, reason }: DomainStatus = await this.plane.status();
      return { desired, actual, phase, code: reason?.code ?? null };
    } catch (error) {
      if (!(error instanceof VmcallError)) throw error;
      return { desired: null, actual: null, phase: null, code: error.code };
    }
  }
}
