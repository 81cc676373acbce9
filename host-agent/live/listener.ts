// SPDX-License-Identifier: Apache-2.0
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { type AddressInfo, BlockList } from 'node:net';
import type { Duplex } from 'node:stream';
import { exitCodes, VmcallError } from '../../src/support/errors.js';

export interface ListenerOptions {
  /** Of the configuration, for messages. */
  key: 'metrics' | 'web';
  address: string;
  port: number;
  /** Private key and certificate: with it TLS is spoken. */
  pem?: string | undefined;
  onRequest(request: IncomingMessage, response: ServerResponse): void;
  onUpgrade?(request: IncomingMessage, socket: Duplex, head: Buffer): void;
}

const bounds = {
  connections: 64,
  headerBytes: 4096,
  /** Time for a request to come in whole, and for a connection to do nothing, ms. */
  requestMs: 5_000,
  idleMs: 30_000,
} as const;

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8, 'ipv4');
loopback.addAddress('::1', 'ipv6');

/** Is this address of this host alone? */
export const isLoopback = (address: string) =>
  loopback.check(address, address.includes(':') ? 'ipv6' : 'ipv4');

/** A bounded HTTP server for observers and scrapes. */
export class Listener {
  private constructor(private readonly server: Server) {}

  /** @throws VmcallError LISTEN_FAILED */
  static async listen(options: ListenerOptions): Promise<Listener> {
    const { key, address, port, pem, onRequest, onUpgrade } = options;
    const limits = {
      maxHeaderSize: bounds.headerBytes,
      requestTimeout: bounds.requestMs,
      headersTimeout: bounds.requestMs,
      keepAliveTimeout: bounds.idleMs,
      connectionsCheckingInterval: 1_000,
    };
    const server = pem
      ? createTlsServer({ key: pem, cert: pem, minVersion: 'TLSv1.3', handshakeTimeout: 5_000, ...limits })
      : createServer(limits);
    server.maxConnections = bounds.connections;
    server.on('request', onRequest);
    server.on('clientError', (_error, socket) => socket.destroy());
    if (onUpgrade) server.on('upgrade', onUpgrade);
    try {
      server.listen(port, address);
      await once(server, 'listening');
    } catch (error) {
      throw new VmcallError(
        'LISTEN_FAILED',
        `${key}.address ${address}, ${key}.port ${port}: ${(error as Error).message}`,
        'Name an address of this host and a port that is free',
        exitCodes.configuration,
        { cause: error },
      );
    }
    return new Listener(server);
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  /** What was upgraded must have ended before. */
  async stop(): Promise<void> {
    const closed = once(this.server, 'close');
    this.server.close();
    this.server.closeAllConnections();
    await closed;
  }
}

/** A browser is to take an answer for what it is said to be. */
export const unsniffed = { 'x-content-type-options': 'nosniff' } as const;

/** A whole answer; never more than this one file or word. */
export function respond(
  response: ServerResponse,
  status: number,
  headers: Record<string, string>,
  body: string | Buffer = '',
): void {
  response.writeHead(status, {
    'content-length': Buffer.byteLength(body),
    ...unsniffed,
    ...headers,
  });
  response.end(response.req.method === 'HEAD' ? undefined : body);
}
