// SPDX-License-Identifier: Apache-2.0
import type { Domain } from '../native/domain.js';

interface Held {
  domain: Promise<Domain>;
  users: number;
  isForgotten: boolean;
}

/**
 * Handles of domains, each looked up once until it is forgotten: a look-up asks libvirtd, and a host's domains are
 * looked at again and again. What a handle says by itself, its name and id, is as of its look-up.
 */
export class DomainHandles {
  readonly #held = new Map<string, Held>();

  /** @param lookUp by UUID; its failure is the user's */
  constructor(private readonly lookUp: (uuid: string) => Promise<Domain>) {}

  /** @throws as the look-up and `work` do; what failed is looked up again next time */
  async use<T>(uuid: string, work: (domain: Domain) => Promise<T>): Promise<T> {
    const held = this.#held.get(uuid) ?? this.#hold(uuid);
    held.users++;
    try {
      return await work(await held.domain);
    } catch (error) {
      this.#forget(uuid, held);
      throw error;
    } finally {
      held.users--;
      closeUnused(held);
    }
  }

  /** The domain began, ended or changed: whoever uses its handle still may, the next one gets another. */
  forget(uuid: string): void {
    const held = this.#held.get(uuid);
    if (held) this.#forget(uuid, held);
  }

  forgetAll(): void {
    for (const uuid of [...this.#held.keys()]) this.forget(uuid);
  }

  #hold(uuid: string): Held {
    const held = { domain: this.lookUp(uuid), users: 0, isForgotten: false };
    this.#held.set(uuid, held);
    return held;
  }

  #forget(uuid: string, held: Held): void {
    if (this.#held.get(uuid) === held) this.#held.delete(uuid);
    held.isForgotten = true;
    closeUnused(held);
  }
}

function closeUnused({ domain, users, isForgotten }: Held): void {
  if (!isForgotten || users > 0) return;
  domain.then(
    (handle) => void handle.close(),
    // It was the users' failure.
    () => {},
  );
}
