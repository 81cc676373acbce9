// SPDX-License-Identifier: Apache-2.0
import { WebSocket } from 'ws';
import { closeCodes, standardCloseCodes } from '../protocol/codes.js';
import { limits } from '../protocol/limits.js';
import {
  type LiveMessage,
  type ObservedMessage,
  type ObserverMessage,
  observedMessageSchema,
  observerMessageSchema,
  observerResource,
} from '../protocol/live.js';
import { subprotocol, versions } from '../protocol/version.js';
import { Channel, type Closed, webSocketLimits } from '../session/channel.js';
import { exitCodes, VmcallError } from '../support/errors.js';
import { projectVersion } from '../support/version.js';

/** All domains at one moment. */
export type Picture = Pick<LiveMessage, 'libvirt' | 'left_out' | 'domains'>;

/**
 * Watches the host agent on this host, over its control socket, until either side ends it.
 * @param signal ends it
 * @throws VmcallError HOST_AGENT_ABSENT: it cannot be reached, or did not take us
 */
export async function observe(
  socket: string,
  onPicture: (picture: Picture) => void,
  signal: AbortSignal,
): Promise<Closed> {
  const webSocket = await connect(socket, signal);
  const channel = new Channel<ObservedMessage, ObserverMessage>(
    webSocket,
    observedMessageSchema,
    observerMessageSchema,
  );
  const onAbort = () => channel.close(standardCloseCodes.normal, 'seen enough');
  signal.addEventListener('abort', onAbort);
  const parts: LiveMessage[] = [];
  let isAcknowledged = false;
  channel.on('message', (message) => {
    if (message.type === 'ack') {
      if (isAcknowledged) channel.close(closeCodes.badMessage, 'a second ack');
      isAcknowledged = true;
      return;
    }
    if (!isAcknowledged) return channel.close(closeCodes.badMessage, 'live before the ack');
    if (message.part === 1) parts.length = 0;
    parts.push(message);
    if (message.part !== message.parts || parts.length !== message.parts) return;
    const { libvirt, left_out } = message;
    onPicture({ libvirt, left_out, domains: parts.flatMap(({ domains }) => domains) });
  });
  channel.send({
    type: 'hello',
    versions: [...versions],
    capabilities: [],
    agent: `vmcall ${projectVersion}`,
  });
  return new Promise((resolve) =>
    channel.once('closed', (closed) => {
      signal.removeEventListener('abort', onAbort);
      resolve(closed);
    }),
  );
}

function connect(socket: string, signal: AbortSignal): Promise<WebSocket> {
  const webSocket = new WebSocket(`ws+unix:${socket}:${observerResource}`, subprotocol, {
    ...webSocketLimits,
    handshakeTimeout: limits.helloTimeoutMs,
  });
  const onAbort = () => webSocket.terminate();
  signal.addEventListener('abort', onAbort);
  return new Promise<WebSocket>((resolve, reject) => {
    webSocket.once('open', () => resolve(webSocket));
    webSocket.on('error', (error) =>
      reject(
        new VmcallError(
          'HOST_AGENT_ABSENT',
          `${socket}: ${error.message}`,
          'Run this as root on the host. Does the host agent run? Is it of the same version? See --socket',
          exitCodes.failed,
          { cause: error },
        ),
      ),
    );
  }).finally(() => signal.removeEventListener('abort', onAbort));
}
