// SPDX-License-Identifier: Apache-2.0
import { randomUUID } from 'node:crypto';
import type { Lease as LeaseOrder } from '../../src/control/schema.js';
import { VmcallError } from '../../src/support/errors.js';
import type { Log } from '../../src/support/log.js';
import type { Before } from './before.js';
import type { LeaseJournal } from './journal.js';

interface Lease {
  id: string;
  domains: readonly string[];
  holder: LeaseOrder['holder'];
  since: Date;
  /** What was changed under it, as it was before. */
  before: Map<string, Before>;
  /** Once it is being released; why not, by domain. */
  ending?: Promise<Map<string, unknown>>;
}

/** What a lease needs of the agent. */
export interface Restorer {
  /** How the domain stands. @throws VmcallError */
  remember(uuid: string): Promise<Before>;
  /** Resolves when it stands so again. @throws VmcallError NOT_PUT_BACK */
  putBack(uuid: string, before: Before): Promise<void>;
}

/**
 * Which process has which domain to itself: one measures or switches at a time. What a holder changed is restored when it is
 * done, when it is gone, and when this agent restarts.
 */
export class Leases {
  readonly #byDomain = new Map<string, Lease>();
  readonly #byId = new Map<string, Lease>();
  #leftOvers: Promise<void> | undefined;

  constructor(
    private readonly restorer: Restorer,
    private readonly journal: () => LeaseJournal,
    private readonly log: Log,
  ) {}

  /** All of the domains or none. @returns the lease's id. @throws VmcallError DOMAIN_LEASED */
  take({ domains, holder }: LeaseOrder): string {
    for (const uuid of domains) this.check(uuid);
    const lease: Lease = { id: randomUUID(), domains, holder, since: new Date(), before: new Map() };
    this.#byId.set(lease.id, lease);
    for (const uuid of domains) this.#byDomain.set(uuid, lease);
    return lease.id;
  }

  /** May the holder of `id`, or who holds none, use this domain? @throws VmcallError DOMAIN_LEASED, LEASE_OVER */
  check(uuid: string, id?: string): void {
    const lease = this.#byDomain.get(uuid);
    if (lease?.id === id && !lease?.ending) return;
    if (id !== undefined)
      throw new VmcallError('LEASE_OVER', `the lease of ${uuid} has ended`, 'Measure it again');
    if (!lease) return;
    const { verb, pid } = lease.holder;
    throw new VmcallError(
      'DOMAIN_LEASED',
      `vmcall ${verb}, process ${pid}, has the domain ${uuid} to itself since ${lease.since.toISOString()}`,
      `Wait until it has ended, or end it: kill -INT ${pid}`,
    );
  }

  /** What is there is remembered, on disk too, before the holder changes it for the first time. @throws VmcallError */
  async touch(uuid: string, id: string): Promise<void> {
    this.check(uuid, id);
    const lease = this.#byId.get(id);
    if (!lease || lease.before.has(uuid)) return;
    // What an earlier agent could not restore is how it stood.
    const before = (await this.journal().read()).get(uuid) ?? (await this.restorer.remember(uuid));
    await this.journal().write(uuid, before);
    lease.before.set(uuid, before);
  }

  /** Releases it, and restores the domains as they were. @returns why not, by domain */
  release(id: string): Promise<Map<string, unknown>> {
    const lease = this.#byId.get(id);
    if (!lease) return Promise.resolve(new Map());
    lease.ending ??= this.#end(lease);
    return lease.ending;
  }

  /** What an earlier agent could not restore any more. Those that cannot be restored now are retried at the next call. */
  putBackLeftOvers(knows: (uuid: string) => boolean): void {
    this.#leftOvers ??= this.#putBackAll(knows).finally(() => {
      this.#leftOvers = undefined;
    });
  }

  async #putBackAll(knows: (uuid: string) => boolean): Promise<void> {
    for (const [uuid, before] of await this.journal().read()) {
      if (this.#byDomain.has(uuid) || !knows(uuid)) continue;
      this.log.info({ domain: uuid }, 'restores what an earlier agent left changed');
      await this.#putBack(uuid, before).catch((error: unknown) =>
        this.log.error({ domain: uuid, err: error }, 'not restored'),
      );
    }
  }

  async #end(lease: Lease): Promise<Map<string, unknown>> {
    const failures = new Map<string, unknown>();
    await Promise.all(
      [...lease.before].map(async ([uuid, before]) => {
        try {
          await this.#putBack(uuid, before);
        } catch (error) {
          this.log.error({ domain: uuid, err: error, holder: lease.holder }, 'not restored');
          failures.set(uuid, error);
        }
      }),
    );
    for (const uuid of lease.domains) this.#byDomain.delete(uuid);
    this.#byId.delete(lease.id);
    return failures;
  }

  async #putBack(uuid: string, before: Before): Promise<void> {
    await this.restorer.putBack(uuid, before);
    await this.journal().remove(uuid);
  }
}
