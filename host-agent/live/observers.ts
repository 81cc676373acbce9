// SPDX-License-Identifier: Apache-2.0
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import { closeCodes, standardCloseCodes } from '../../src/protocol/codes.js';
import { limits } from '../../src/protocol/limits.js';
import {
  type LiveMessage,
  liveLimits,
  type ObservedMessage,
  type ObserverMessage,
  observedMessageSchema,
  observerMessageSchema,
  observerResource,
} from '../../src/protocol/live.js';
import { negotiateVersion, subprotocol } from '../../src/protocol/version.js';
import { Channel, webSocketLimits } from '../../src/session/channel.js';
import { projectVersion } from '../../src/support/version.js';
import { refuseUpgrade } from '../guest-sessions/upgrade.js';

type ObserverChannel = Channel<ObserverMessage, ObservedMessage>;

/** Those who look on: they say hello, and are sent a picture a second. They can ask for nothing. */
export class Observers {
  readonly #webSockets = new WebSocketServer({
    ...webSocketLimits,
    noServer: true,
    clientTracking: false,
    handleProtocols: () => subprotocol,
  });
  /** From the upgrade to the close. */
  readonly #open = new Set<ObserverChannel>();
  readonly #greeted = new Set<ObserverChannel>();
  #timer: NodeJS.Timeout | undefined;

  /**
   * @param picture draws what they are sent
   * @param onDefect takes a picture that could not be drawn or sent: none may end the agent
   * @param onObserved called when the first comes and when the last has gone
   */
  constructor(
    private readonly picture: () => LiveMessage[],
    private readonly onDefect: (error: unknown) => void,
    private readonly onObserved: (isObserved: boolean) => void = () => {},
  ) {}

  /** An upgrade by an observer. */
  accept(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on('error', () => socket.destroy());
    const status = this.#whyNot(request);
    if (status !== undefined) refuseUpgrade(socket, status);
    else this.#webSockets.handleUpgrade(request, socket, head, (webSocket) => this.#opened(webSocket));
  }

  #whyNot({ url, headers }: IncomingMessage): 400 | 404 | 503 | undefined {
    if (url !== observerResource) return 404;
    const offered = (headers['sec-websocket-protocol'] ?? '').split(',').map((word) => word.trim());
    if (!offered.includes(subprotocol)) return 400;
    return this.#open.size >= liveLimits.observers ? 503 : undefined;
  }

  /** Ends every session with 1001. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await Promise.all(
      [...this.#open].map((channel) => {
        const closed = new Promise((resolve) => channel.once('closed', resolve));
        channel.close(standardCloseCodes.goingAway, 'the host agent is stopping');
        return closed;
      }),
    );
  }

  #opened(webSocket: WebSocket): void {
    const channel: ObserverChannel = new Channel(webSocket, observerMessageSchema, observedMessageSchema);
    this.#open.add(channel);
    const timer = setTimeout(
      () => channel.close(closeCodes.helloTimeout, `no hello within ${limits.helloTimeoutMs} ms`),
      limits.helloTimeoutMs,
    );
    channel.once('closed', () => {
      clearTimeout(timer);
      this.#open.delete(channel);
      if (!this.#greeted.delete(channel) || this.#greeted.size > 0) return;
      clearInterval(this.#timer);
      this.#timer = undefined;
      this.onObserved(false);
    });
    channel.on('message', (hello) => {
      clearTimeout(timer);
      this.#greet(channel, hello);
    });
  }

  #greet(channel: ObserverChannel, { versions }: ObserverMessage): void {
    const version = negotiateVersion(versions);
    if (this.#greeted.has(channel)) channel.close(closeCodes.badMessage, 'a second hello');
    else if (version === undefined) channel.close(closeCodes.noCommonVersion, 'no version in common');
    else {
      channel.send({ type: 'ack', version, capabilities: [], agent: `vmcall ${projectVersion}` });
      this.#greeted.add(channel);
      if (this.#greeted.size === 1) this.onObserved(true);
      this.#show([channel]);
      this.#timer ??= setInterval(() => this.#show(this.#greeted), liveLimits.intervalMs);
    }
  }

  #show(channels: Iterable<ObserverChannel>): void {
    try {
      const parts = this.picture();
      for (const channel of channels) for (const part of parts) channel.send(part);
    } catch (error) {
      this.onDefect(error);
    }
  }
}
