// SPDX-License-Identifier: Apache-2.0
import { readFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { tokenPrefix } from '../../src/protocol/live.js';
import { projectRoot } from '../../src/support/paths.js';
import { hashSecret, secretMatches } from '../enrolment/secret.js';
import { refuseUpgrade } from '../guest-sessions/upgrade.js';
import { Listener, respond } from '../live/listener.js';
import type { Observers } from '../live/observers.js';

const source = join(projectRoot, 'host-agent', 'web', 'page');
const built = join(projectRoot, 'dist', 'host-agent', 'web', 'page');

/** The page's files: nothing else is served, whatever is asked for. */
const files: Readonly<Record<string, { file: string; type: string }>> = {
  '/': { file: join(source, 'index.html'), type: 'text/html; charset=utf-8' },
  '/style.css': { file: join(source, 'style.css'), type: 'text/css; charset=utf-8' },
  '/icon.svg': { file: join(source, 'icon.svg'), type: 'image/svg+xml' },
  '/page.js': { file: join(built, 'page.js'), type: 'text/javascript; charset=utf-8' },
};

const headers = {
  'cache-control': 'no-store',
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
} as const;

export interface WebOptions {
  address: string;
  port: number;
  /** Private key and certificate, unless the address is loopback's. */
  pem: string | undefined;
  token: string;
  observers: Observers;
}

/** The page for browsers, and the observers' WebSocket for those who have the token. @throws VmcallError LISTEN_FAILED */
export async function listenForBrowsers(options: WebOptions): Promise<Listener> {
  const { address, port, pem, token, observers } = options;
  const stored = hashSecret(token);
  const pages = new Map<string, { body: Buffer; type: string }>();
  for (const [url, { file, type }] of Object.entries(files))
    pages.set(url, { body: await readFile(file), type });
  return Listener.listen({
    key: 'web',
    address,
    port,
    pem,
    onRequest: ({ method, url = '' }: IncomingMessage, response: ServerResponse) => {
      const page = pages.get(url.split('?')[0] ?? '');
      if (!page) respond(response, 404, { ...headers });
      else if (method !== 'GET' && method !== 'HEAD')
        respond(response, 405, { ...headers, allow: 'GET, HEAD' });
      else respond(response, 200, { ...headers, 'content-type': page.type }, page.body);
    },
    onUpgrade: (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      if (isSameOrigin(request) && secretMatches(tokenOf(request), stored))
        observers.accept(request, socket, head);
      else refuseUpgrade(socket, 401);
    },
  });
}

/** A page of another site has no business here, whatever token it found. */
function isSameOrigin({ headers: { origin, host } }: IncomingMessage): boolean {
  if (origin === undefined) return true;
  return URL.canParse(origin) && new URL(origin).host === host;
}

function tokenOf({ headers: given }: IncomingMessage): string {
  const offered = (given['sec-websocket-protocol'] ?? '').split(',').map((word) => word.trim());
  return offered.find((word) => word.startsWith(tokenPrefix))?.slice(tokenPrefix.length) ?? '';
}
