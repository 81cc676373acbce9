// SPDX-License-Identifier: Apache-2.0
import { setTimeout as delay } from 'node:timers/promises';
import { closeCodes } from '../../src/protocol/codes.js';
import type { GuestMessage } from '../../src/protocol/messages.js';
import type { Handlers } from '../../src/session/responder.js';
import { BackOff } from '../../src/support/back-off.js';
import { VmcallError } from '../../src/support/errors.js';
import type { Log } from '../../src/support/log.js';
import { type HostAddress, HostClosedError, type HostSession, openHostSession } from './host-session.js';

export interface SessionKeeperOptions {
  address: HostAddress;
  handlers: Handlers;
  log: Log;
  onOpen: () => void;
  onLost: () => void;
  /** Of the back-off, ms. */
  least?: number;
  most?: number;
}

/** A session that lasted this long was a good one, ms. */
const goodAfterMs = 10_000;

/** Retrying soon does not help: somebody must act first. */
const hopelessCloses: ReadonlySet<number> = new Set([
  closeCodes.revoked,
  closeCodes.wrongIdentity,
  closeCodes.noCommonVersion,
  closeCodes.replaced,
]);
const hopelessErrors: ReadonlySet<string> = new Set([
  'HOST_CERTIFICATE',
  'HOST_REFUSED_SECRET',
  'HOST_REFUSED',
]);

/** Keeps a session with the host, and reconnects after each loss. */
export class SessionKeeper {
  readonly #stop = new AbortController();
  readonly #backOff: BackOff;
  #session: HostSession | undefined;
  #lostAt: number | undefined = performance.now();
  #running: Promise<void> | undefined;

  constructor(private readonly options: SessionKeeperOptions) {
    this.#backOff = new BackOff(options.least ?? 500, options.most ?? 30_000);
  }

  /** For how long there has been no session, ms; 0 while there is one. */
  get lostFor(): number {
    return this.#lostAt === undefined ? 0 : performance.now() - this.#lostAt;
  }

  /** False if there is no session. */
  send(message: GuestMessage): boolean {
    return this.#session?.send(message) ?? false;
  }

  start(): void {
    this.#running ??= this.#run();
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      const wait = await this.#once();
      await delay(wait, undefined, { signal }).catch(() => {});
    }
  }

  /** One session from its beginning to its end. @returns how long to wait before the next, ms */
  async #once(): Promise<number> {
    const { address, handlers, log } = this.options;
    const host = address.url.host;
    try {
      const session = await openHostSession(
        address,
        handlers,
        (error) => log.error({ err: error }, 'a request failed by a defect'),
        this.#stop.signal,
      );
      const since = performance.now();
      this.#session = session;
      this.#lostAt = undefined;
      log.info({ host }, 'session open');
      this.options.onOpen();
      const closed = await session.closed;
      this.#session = undefined;
      this.#lostAt = performance.now();
      log.warn({ host, ...closed }, 'session lost');
      this.options.onLost();
      if (performance.now() - since > goodAfterMs) this.#backOff.reset();
      return hopelessCloses.has(closed.code) ? this.#backOff.longest() : this.#backOff.next();
    } catch (error) {
      if (!(error instanceof VmcallError)) throw error;
      const { code, message, cure } = error;
      const hopeless = isHopeless(error);
      log[hopeless ? 'error' : 'warn']({ host, code, cure }, message);
      return hopeless ? this.#backOff.longest() : this.#backOff.next();
    }
  }
}

function isHopeless(error: VmcallError): boolean {
  if (error instanceof HostClosedError) return hopelessCloses.has(error.closed.code);
  return hopelessErrors.has(error.code);
}
