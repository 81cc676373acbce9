// SPDX-License-Identifier: Apache-2.0
import { EventEmitter } from 'node:events';
import { closeCodes } from '../../src/protocol/codes.js';
import { limits } from '../../src/protocol/limits.js';
import {
  type GuestMessage,
  type Health,
  type HostMessage,
  type MeasurementEnded,
  type Method,
  methods,
  type Params,
  type Report,
  type Result,
} from '../../src/protocol/messages.js';
import type { Capability } from '../../src/protocol/version.js';
import type { Channel, Closed } from '../../src/session/channel.js';
import { RequestError } from '../../src/session/request-error.js';
import { Requester } from '../../src/session/requester.js';

interface GuestSessionEvents {
  health: [Health];
  report: [Report];
  'measurement-ended': [MeasurementEnded];
  closed: [Closed];
}

/** What was agreed on in the handshake. */
export interface Agreement {
  domain: string;
  version: number;
  capabilities: readonly Capability[];
  /** The guest agent's own version, for people. */
  agent: string;
}

/** The host's end of a session with one guest, from the ack on. */
export class GuestSession extends EventEmitter<GuestSessionEvents> {
  /** The measurement that is on whenever no other is wanted. */
  standing: { pause(): Promise<void>; resume(): void } | undefined;
  readonly #requester: Requester;
  #health: Health | undefined;

  constructor(
    private readonly channel: Channel<GuestMessage, HostMessage>,
    readonly agreement: Agreement,
  ) {
    super();
    this.#requester = new Requester((message) => channel.send(message));
    channel.on('message', (message) => this.#received(message));
    channel.once('closed', (closed) => {
      this.#requester.end();
      this.emit('closed', closed);
    });
  }

  get domain(): string {
    return this.agreement.domain;
  }

  /** The last health the guest told; it may be some seconds old. */
  get health(): Health | undefined {
    return this.#health;
  }

  /**
   * Asks the guest to do something.
   * @param deadlineMs 100 to 60 000
   * @throws RequestError with a code of PROTOCOL.md
   */
  async request<M extends Method>(
    method: M,
    params: Params<M>,
    deadlineMs: number = limits.deadlineMs.usual,
  ): Promise<Result<M>> {
    if (!this.agreement.capabilities.includes(methods[method].capability))
      throw new RequestError('UNSUPPORTED');
    return this.#requester.request(method, params, deadlineMs);
  }

  close(code: number, reason: string): void {
    this.channel.close(code, reason);
  }

  #received(message: GuestMessage): void {
    switch (message.type) {
      case 'result':
      case 'error':
        if (!this.#requester.answer(message))
          this.close(closeCodes.badMessage, `an answer to request ${message.id}, which was never made`);
        return;
      case 'health':
        this.#health = message.health;
        this.emit('health', message.health);
        return;
      case 'report':
        this.emit('report', message);
        return;
      case 'measurement-ended':
        this.emit('measurement-ended', message);
        return;
      case 'hello':
        this.close(closeCodes.badMessage, 'a second hello');
        return;
    }
  }
}
