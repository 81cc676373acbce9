// SPDX-License-Identifier: Apache-2.0
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { domainSchema } from '../../src/protocol/fields.js';
import { resource, subprotocol } from '../../src/protocol/version.js';

/** What an upgrade's header says of who asks. */
export interface Credentials {
  domain: string;
  secret: string;
}

export type UpgradeVerdict = { credentials: Credentials } | { status: 400 | 401 | 404 };

const authorizationMost = 256;

/** Judges an upgrade by its request alone; the secret is not checked yet. */
export function readUpgrade(request: Pick<IncomingMessage, 'url' | 'headers'>): UpgradeVerdict {
  if (request.url !== resource) return { status: 404 };
  const offered = (request.headers['sec-websocket-protocol'] ?? '').split(',').map((word) => word.trim());
  if (!offered.includes(subprotocol)) return { status: 400 };
  const credentials = readAuthorization(request.headers.authorization ?? '');
  return credentials ? { credentials } : { status: 401 };
}

/** Basic credentials (RFC 7617): domain and secret. */
function readAuthorization(header: string): Credentials | undefined {
  const encoded = /^Basic ([A-Za-z0-9+/]+={0,2})$/i.exec(header.slice(0, authorizationMost))?.[1];
  const [, domain = '', secret = ''] =
    /^([^:]+):([A-Za-z0-9_-]{43})$/.exec(Buffer.from(encoded ?? '', 'base64').toString('latin1')) ?? [];
  return domainSchema.safeParse(domain).success ? { domain, secret } : undefined;
}

const phrases = {
  400: 'Bad Request',
  401: 'Unauthorized',
  404: 'Not Found',
  426: 'Upgrade Required',
  503: 'Service Unavailable',
} as const;

/** Ends a connection that never became a WebSocket. */
export function refuseUpgrade(socket: Duplex, status: keyof typeof phrases): void {
  const extra = status === 401 ? 'WWW-Authenticate: Basic realm="vmcall"\r\n' : '';
  socket.on('error', () => socket.destroy());
  socket.end(
    `HTTP/1.1 ${status} ${phrases[status]}\r\n${extra}Connection: close\r\nContent-Length: 0\r\n\r\n`,
    () => socket.destroy(),
  );
}
