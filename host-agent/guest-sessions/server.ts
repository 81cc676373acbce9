// SPDX-License-Identifier: Apache-2.0
import { EventEmitter, once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import { closeCodes, standardCloseCodes } from '../../src/protocol/codes.js';
import { limits } from '../../src/protocol/limits.js';
import {
  type GuestMessage,
  guestMessageSchema,
  type HostMessage,
  hostMessageSchema,
} from '../../src/protocol/messages.js';
import { subprotocol } from '../../src/protocol/version.js';
import { Channel, type Closed, webSocketLimits } from '../../src/session/channel.js';
import type { Log } from '../../src/support/log.js';
import { projectVersion } from '../../src/support/version.js';
import { type DomainLog, DomainLogs } from '../bounded-log.js';
import { matchingHash } from '../enrolment/secret.js';
import { Admission, type AdmissionLimits, type Place, usualAdmission } from './admission.js';
import { type Agreement, GuestSession } from './guest-session.js';
import { awaitHello } from './handshake.js';
import { readUpgrade, refuseUpgrade } from './upgrade.js';

/** Who is enrolled; asked at each upgrade, and of every live session after a change. */
export interface EnrolledSecrets {
  /** The hashes of the secrets that are valid for the domain. */
  hashesOf(domain: string): Promise<Buffer[]>;
  /** When anything of it was changed last, Unix time in ms; undefined where that is not known. */
  changedAt(): Promise<number | undefined>;
}

export interface GuestSessionsOptions {
  /** Where to listen; port 0 for any. */
  address: string;
  port: number;
  /** Private key and certificate. */
  pem: string;
  enrolments: EnrolledSecrets;
  log: Log;
  /** Of each domain; its own unless told. */
  logs?: DomainLogs;
  admission?: AdmissionLimits;
  /** How often the store is checked, and after a change each live session's secret compared with it, ms. */
  recheckMs?: number;
}

/** From the TCP connection to the authenticated upgrade, ms. */
const upgradeTimeoutMs = 5_000;
const usualRecheckMs = 10_000;
const overlapRecheckMs = 60_000;
/** So long after a change, whoever was let in by what stood before has a session, ms. */
const settledMs = 4 * limits.helloTimeoutMs;
/** Refusals are counted, and logged once in this time, ms: a flood of connections must not flood the log. */
const refusalLogMs = 10_000;
/** Of those who had no valid secret so many are named in one line. */
const strangersMost = 20;

/** The TLS server that guests connect to, and their live sessions, one a domain. Emits `open` for each. */
export class GuestSessions extends EventEmitter<{ open: [GuestSession] }> {
  readonly #server: Server;
  readonly #webSockets: WebSocketServer;
  readonly #admission: Admission;
  readonly #places = new Map<string, Place>();
  readonly #sockets = new Set<Socket>();
  readonly #sessions = new Map<string, GuestSession>();
  /** With which hash each session was let in. */
  readonly #hashes = new WeakMap<GuestSession, Buffer>();
  readonly #refused = new Map<string, number>();
  /** Who was refused whose secret, and how often: those that were first. */
  readonly #strangers = new Map<string, number>();
  readonly #logs: DomainLogs;
  readonly #timers: NodeJS.Timeout[];
  /** The last comparison of all, and the store's change that it took in, Unix time in ms. */
  #compared: { at: number; change: number | undefined } = { at: 0, change: undefined };
  /** The same, of a clock that is never set. */
  #comparedAt = Number.NEGATIVE_INFINITY;
  #stopping = false;

  private constructor(private readonly options: GuestSessionsOptions) {
    super();
    this.#logs = options.logs ?? new DomainLogs(options.log);
    this.#admission = new Admission(options.admission ?? usualAdmission);
    this.#webSockets = new WebSocketServer({
      ...webSocketLimits,
      noServer: true,
      clientTracking: false,
      handleProtocols: () => subprotocol,
    });
    this.#server = createServer({
      key: options.pem,
      cert: options.pem,
      minVersion: 'TLSv1.3',
      handshakeTimeout: upgradeTimeoutMs,
      maxHeaderSize: 4096,
    });
    this.#server.prependListener('connection', (socket: Socket) => this.#connected(socket));
    this.#server.on('tlsClientError', () => this.#refuse('tls'));
    this.#server.on('clientError', (_error, socket) => socket.destroy());
    this.#server.on('request', (request) => refuseUpgrade(request.socket, 426));
    this.#server.on('upgrade', (request, socket, head) => void this.#upgrade(request, socket, head));
    this.#timers = [
      setInterval(() => void this.#recheck(), options.recheckMs ?? usualRecheckMs),
      setInterval(() => this.#tellRefusals(), refusalLogMs),
    ];
  }

  /** @throws the system's error if it cannot listen there */
  static async listen(options: GuestSessionsOptions): Promise<GuestSessions> {
    const sessions = new GuestSessions(options);
    try {
      sessions.#server.listen(options.port, options.address);
      await once(sessions.#server, 'listening');
    } catch (error) {
      await sessions.stop();
      throw error;
    }
    return sessions;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** The domain's live session. */
  get(domain: string): GuestSession | undefined {
    return this.#sessions.get(domain);
  }

  /** All live sessions. */
  all(): GuestSession[] {
    return [...this.#sessions.values()];
  }

  /** Connections of any kind that are held now. */
  get connections(): number {
    return this.#admission.connections;
  }

  /** Ends every session with 1001 and listens no more. */
  async stop(): Promise<void> {
    this.#stopping = true;
    for (const timer of this.#timers) clearInterval(timer);
    const ended = this.all().map((session) => {
      const closed = once(session, 'closed');
      session.close(standardCloseCodes.goingAway, 'the host agent is stopping');
      return closed;
    });
    await Promise.all(ended);
    for (const socket of this.#sockets) socket.destroy();
    if (this.#server.listening) {
      this.#server.close();
      await once(this.#server, 'close');
    }
    this.#tellRefusals();
  }

  #connected(socket: Socket): void {
    const admitted = this.#admission.enter(socket.remoteAddress ?? '', performance.now());
    if (typeof admitted === 'string') {
      this.#refuse(admitted);
      socket.destroy();
      return;
    }
    const key = connectionKey(socket);
    this.#places.set(key, admitted);
    this.#sockets.add(socket);
    const tooSlow = setTimeout(() => {
      if (this.#places.delete(key)) {
        this.#refuse('timeout');
        socket.destroy();
      }
    }, upgradeTimeoutMs);
    socket.once('close', () => {
      clearTimeout(tooSlow);
      admitted.leave();
      this.#places.delete(key);
      this.#sockets.delete(socket);
    });
  }

  async #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    socket.on('error', () => socket.destroy());
    const refuse = (status: 400 | 401 | 404 | 503) => {
      this.#refuse(String(status));
      refuseUpgrade(socket, status);
    };
    if (this.#stopping) return refuse(503);
    const verdict = readUpgrade(request);
    if ('status' in verdict) return refuse(verdict.status);
    const { domain, secret } = verdict.credentials;
    const hashes = await this.#hashesOf(domain);
    if (hashes === 'unreadable') return refuse(503);
    const hash = matchingHash(secret, hashes);
    if (!hash) {
      this.#refuseStranger(domain, request.socket.remoteAddress ?? '');
      return refuse(401);
    }
    if (socket.destroyed) return;
    const key = connectionKey(request.socket);
    this.#places.get(key)?.authenticate();
    this.#places.delete(key);
    this.#webSockets.handleUpgrade(request, socket, head, (webSocket) => {
      const channel = new Channel<GuestMessage, HostMessage>(
        webSocket,
        guestMessageSchema,
        hostMessageSchema,
      );
      const log = this.#logOf(domain);
      const from = request.socket.remoteAddress;
      channel.once('closed', (closed: Closed) => log.info({ from, ...closed }, 'session closed'));
      awaitHello(channel, domain, (agreement) => this.#open(channel, agreement, hash, from));
    });
  }

  /** One for all its sessions: whoever connects again and again has no more lines for that. Of the enrolled alone. */
  #logOf(domain: string): DomainLog {
    return this.#logs.of(domain);
  }

  #open(
    channel: Channel<GuestMessage, HostMessage>,
    agreement: Agreement,
    hash: Buffer,
    from: string | undefined,
  ): void {
    const { domain, version, capabilities } = agreement;
    const session = new GuestSession(channel, agreement);
    const before = this.#sessions.get(domain);
    this.#sessions.set(domain, session);
    this.#hashes.set(session, hash);
    before?.close(closeCodes.replaced, 'a newer session of this guest took its place');
    session.once('closed', () => {
      if (this.#sessions.get(domain) === session) this.#sessions.delete(domain);
    });
    channel.send({
      type: 'ack',
      version,
      capabilities: [...capabilities],
      agent: `vmcall ${projectVersion}`,
    });
    this.#logOf(domain).info(
      { from, version, capabilities, agent: agreement.agent, replaced: before !== undefined },
      'session open',
    );
    this.emit('open', session);
  }

  async #recheck(): Promise<void> {
    const change = await this.options.enrolments.changedAt();
    const { at, change: before } = this.#compared;
    // Nothing in the store says that a previous secret has expired.
    const isRecent = performance.now() - this.#comparedAt < overlapRecheckMs;
    if (isRecent && change !== undefined && change === before && change + settledMs < at) return;
    this.#compared = { at: Date.now(), change };
    this.#comparedAt = performance.now();
    for (const session of this.all()) {
      const hashes = await this.#hashesOf(session.domain);
      // A store that cannot be read just now revokes nobody's secret; it is asked again.
      if (hashes === 'unreadable') this.#compared.change = undefined;
      const held = this.#hashes.get(session);
      if (hashes === 'unreadable' || hashes.some((hash) => held?.equals(hash))) continue;
      session.close(closeCodes.revoked, 'the secret was replaced or revoked');
    }
  }

  async #hashesOf(domain: string): Promise<Buffer[] | 'unreadable'> {
    try {
      return await this.options.enrolments.hashesOf(domain);
    } catch (error) {
      this.#logOf(domain).error({ err: error }, 'the enrolment cannot be read');
      return 'unreadable';
    }
  }

  /** Another key and certificate, from the next connection on; those that are open stay. */
  renew(pem: string): void {
    this.#server.setSecureContext({ key: pem, cert: pem, minVersion: 'TLSv1.3' });
  }

  #refuse(why: string): void {
    this.#refused.set(why, (this.#refused.get(why) ?? 0) + 1);
  }

  #refuseStranger(domain: string, address: string): void {
    const key = `${domain} from ${address}`;
    if (this.#strangers.size < strangersMost || this.#strangers.has(key))
      this.#strangers.set(key, (this.#strangers.get(key) ?? 0) + 1);
  }

  #tellRefusals(): void {
    const secrets = Object.fromEntries(this.#strangers);
    if (this.#refused.size > 0)
      this.options.log.warn(
        { refused: Object.fromEntries(this.#refused), ...(this.#strangers.size > 0 && { secrets }) },
        'connections refused',
      );
    this.#refused.clear();
    this.#strangers.clear();
  }
}

/** The same for a TCP socket and for the TLS socket upon it. */
function connectionKey(socket: {
  remoteAddress?: string | undefined;
  remotePort?: number | undefined;
}): string {
  return `${socket.remoteAddress}|${socket.remotePort}`;
}
