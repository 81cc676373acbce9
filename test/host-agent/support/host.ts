// SPDX-License-Identifier: Apache-2.0
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type RawData, WebSocket } from 'ws';
import { hostCertificate } from '../../../host-agent/enrolment/certificate.js';
import { EnrolmentStore } from '../../../host-agent/enrolment/store.js';
import { GuestSessions, type GuestSessionsOptions } from '../../../host-agent/guest-sessions/server.js';
import { createLog } from '../../../src/support/log.js';

export const domainA = '0b9e2f6c-7a4d-4b6e-9c11-2f8d4e6a1b3c';
export const domainB = '5d3c1a90-1111-4222-8333-944455566677';

/** A real TLS server on loopback with an enrolment store of its own. */
export interface Host {
  sessions: GuestSessions;
  store: EnrolmentStore;
  state: string;
  fingerprint: string;
  url: string;
  /** What it logged, a line each. */
  log: string[];
  stop(): Promise<void>;
}

export async function startHost(options: Partial<GuestSessionsOptions> = {}): Promise<Host> {
  const state = await mkdtemp(join(tmpdir(), 'vmcall-host-'));
  const { pem, fingerprint } = await hostCertificate(state);
  const store = new EnrolmentStore(state);
  const log: string[] = [];
  const sessions = await GuestSessions.listen({
    address: '127.0.0.1',
    port: 0,
    pem,
    enrolments: store,
    log: createLog('host-agent', { write: (line) => log.push(line) }),
    // Every test comes from one address and at once.
    admission: { connections: 200, perAddress: 100, unauthenticated: 50, perSecond: 1000, burst: 1000 },
    ...options,
  });
  const stop = async () => {
    await sessions.stop();
    await rm(state, { recursive: true, force: true });
  };
  return { sessions, store, state, fingerprint, url: `wss://127.0.0.1:${sessions.port}/guest`, log, stop };
}

export const basic = (domain: string, secret: string) =>
  `Basic ${Buffer.from(`${domain}:${secret}`).toString('base64')}`;

export interface RawOptions {
  authorization?: string;
  protocol?: string;
  localAddress?: string;
}

/** A WebSocket client that knows nothing of the protocol, to say what no honest guest would. */
export class RawGuest {
  readonly received: string[] = [];
  readonly closed: Promise<{ code: number; reason: string }>;

  private constructor(readonly socket: WebSocket) {
    socket.on('message', (data: RawData) => this.received.push(data.toString()));
    socket.on('error', () => {});
    this.closed = new Promise((resolve) =>
      socket.once('close', (code, reason) => resolve({ code, reason: String(reason) })),
    );
  }

  /** @throws Error with the HTTP status if it is refused */
  static async connect(url: string, options: RawOptions = {}): Promise<RawGuest> {
    const { authorization, protocol = 'vmcall.v1', localAddress } = options;
    const socket = new WebSocket(url, protocol, {
      rejectUnauthorized: false,
      ...(authorization === undefined ? {} : { headers: { authorization } }),
      ...(localAddress === undefined ? {} : { localAddress }),
    });
    const guest = new RawGuest(socket);
    await new Promise<void>((resolve, reject) => {
      socket.once('open', resolve);
      socket.once('unexpected-response', (_request, response) => {
        reject(new Error(`HTTP ${response.statusCode}`));
        socket.terminate();
      });
      socket.once('error', reject);
    });
    return guest;
  }

  hello(domain: string, changes: Record<string, unknown> = {}): this {
    this.say({ type: 'hello', versions: [1], capabilities: ['path'], domain, agent: 'raw', ...changes });
    return this;
  }

  say(message: unknown): this {
    this.socket.send(typeof message === 'string' ? message : JSON.stringify(message));
    return this;
  }

  /** The next message from the host that was not taken yet. */
  async next(): Promise<Record<string, unknown>> {
    if (this.received.length === 0) await once(this.socket, 'message');
    return JSON.parse(this.received.shift() ?? '');
  }
}
