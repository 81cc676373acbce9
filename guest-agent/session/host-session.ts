// SPDX-License-Identifier: Apache-2.0
import { once } from 'node:events';
import { WebSocket } from 'ws';
import { closeCodes, standardCloseCodes } from '../../src/protocol/codes.js';
import { limits } from '../../src/protocol/limits.js';
import {
  type GuestMessage,
  guestMessageSchema,
  type HostMessage,
  hostMessageSchema,
} from '../../src/protocol/messages.js';
import { capabilities, subprotocol, versions } from '../../src/protocol/version.js';
import { Channel, type Closed, webSocketLimits } from '../../src/session/channel.js';
import { type Handlers, Responder } from '../../src/session/responder.js';
import { VmcallError } from '../../src/support/errors.js';
import { projectVersion } from '../../src/support/version.js';
import { dial, type HostTrust } from './dial.js';

/** Where the host is, how it is known, and who we are. */
export interface HostAddress {
  url: URL;
  trust: HostTrust;
  domain: string;
  secret: string;
  /** The interface that a link-local address is of. */
  zone?: string;
  /** Our own address, where we have several: the host bounds connections by it. */
  from?: string;
}

/** The guest's end of a session, from the ack on. */
export interface HostSession {
  /** False if it is over. */
  send(message: GuestMessage): boolean;
  close(code: number, reason: string): void;
  readonly closed: Promise<Closed>;
}

const connectTimeoutMs = 10_000;

/**
 * Connects, authenticates and shakes hands.
 * @param signal ends it, with a close frame if there is a session
 * @throws VmcallError HOST_UNREACHABLE, HOST_CERTIFICATE, HOST_REFUSED_SECRET, HOST_REFUSED, HOST_CLOSED
 */
export async function openHostSession(
  address: HostAddress,
  handlers: Handlers,
  onDefect: (error: unknown) => void,
  signal: AbortSignal,
): Promise<HostSession> {
  const webSocket = await upgrade(address, signal);
  const channel = new Channel<HostMessage, GuestMessage>(webSocket, hostMessageSchema, guestMessageSchema);
  const onAbort = () => channel.close(standardCloseCodes.goingAway, 'the guest agent is stopping');
  signal.addEventListener('abort', onAbort);
  channel.once('closed', () => signal.removeEventListener('abort', onAbort));
  const closed = once(channel, 'closed').then(([how]) => how as Closed);
  const responder = new Responder(handlers, (message) => channel.send(message), onDefect);
  channel.once('closed', () => responder.end());
  channel.send({
    type: 'hello',
    versions: [...versions],
    capabilities: [...capabilities],
    domain: address.domain,
    agent: `vmcall ${projectVersion}`,
  });
  await acknowledged(channel, closed, (message) => {
    if (message.type === 'ack') channel.close(closeCodes.badMessage, 'a second ack');
    else if (!responder.take(message))
      channel.close(closeCodes.badMessage, `request ${message.id} is not above the ones before`);
  });
  return {
    send: (message) => channel.send(message),
    close: (code, reason) => channel.close(code, reason),
    closed,
  };
}

/** The first message must be an ack that we can keep; those after it go to `onMessage`. */
function acknowledged(
  channel: Channel<HostMessage, GuestMessage>,
  closed: Promise<Closed>,
  onMessage: (message: HostMessage) => void,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(
      () => channel.close(closeCodes.helloTimeout, `no ack within ${limits.helloTimeoutMs} ms`),
      limits.helloTimeoutMs,
    );
    channel.once('message', (message) => {
      clearTimeout(timer);
      if (message.type !== 'ack') channel.close(closeCodes.badMessage, `${message.type} before the ack`);
      else if (!versions.includes(message.version))
        channel.close(closeCodes.noCommonVersion, `version ${message.version} was not offered`);
      else {
        channel.on('message', onMessage);
        resolve();
      }
    });
    void closed.then((how) => {
      clearTimeout(timer);
      reject(new HostClosedError(how));
    });
  });
}

/** The session ended; `closed` says how. */
export class HostClosedError extends VmcallError {
  constructor(readonly closed: Closed) {
    super(
      'HOST_CLOSED',
      `the session ended with ${closed.code} by ${closed.by}: ${closed.reason || 'no reason given'}`,
      'See the close codes in src/protocol/PROTOCOL.md',
    );
  }
}

async function upgrade(
  { url, zone, trust, domain, secret, from }: HostAddress,
  signal: AbortSignal,
): Promise<WebSocket> {
  const socket = await dial({ url, zone, trust, from }, connectTimeoutMs, signal);
  const webSocket = new WebSocket(url, subprotocol, {
    ...webSocketLimits,
    handshakeTimeout: connectTimeoutMs,
    headers: { authorization: `Basic ${Buffer.from(`${domain}:${secret}`).toString('base64')}` },
    createConnection: () => socket,
  });
  const onAbort = () => webSocket.terminate();
  signal.addEventListener('abort', onAbort);
  return new Promise<WebSocket>((resolve, reject) => {
    webSocket.once('unexpected-response', (_request, response) => {
      webSocket.on('error', () => {});
      webSocket.terminate();
      reject(refusal(url, response.statusCode ?? 0));
    });
    const onError = (error: Error) =>
      reject(
        new VmcallError('HOST_UNREACHABLE', `${url.host}: ${error.message}`, 'Does the host agent run?'),
      );
    webSocket.once('error', onError);
    webSocket.once('open', () => {
      webSocket.off('error', onError);
      resolve(webSocket);
    });
  }).finally(() => signal.removeEventListener('abort', onAbort));
}

function refusal(url: URL, status: number): VmcallError {
  if (status === 401)
    return new VmcallError(
      'HOST_REFUSED_SECRET',
      `${url.host} does not take this guest's secret`,
      'Issue a new one on the host with vmcall enroll and put its output into this guest',
    );
  if (status === 503)
    return new VmcallError('HOST_UNREACHABLE', `${url.host} is not ready`, "See the host agent's log");
  return new VmcallError(
    'HOST_REFUSED',
    `${url.host} answered with HTTP ${status}`,
    "Is host.url the host agent's?",
  );
}
