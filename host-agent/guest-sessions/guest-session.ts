// SPDX-License-Identifier: Apache-2.0
import { EventEmitter } from 'node:events';
import { closeCodes } from '../../src/protocol/codes.js';
import type { Path } from '../../src/protocol/fields.js';
import { limits } from '../../src/protocol/limits.js';
import {
  type GuestMessage,
  type Health,
  type HostMessage,
  type MeasurementEnded,
  type Method,
  type MethodResult,
  methods,
  type Params,
  type Report,
} from '../../src/protocol/messages.js';
import type { Capability } from '../../src/protocol/version.js';
import type { Channel, Closed } from '../../src/session/channel.js';
import { RequestError } from '../../src/session/request-error.js';
import { Requester } from '../../src/session/requester.js';
import type { WakeDating } from '../wake-times/dating.js';

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
  /** Dates the wakes of the injected path; undefined where nobody does. */
  dating: WakeDating | undefined;
  /** The one measurement that is on, from the moment it is asked for. */
  #measured: string | undefined;
  #dated: string | undefined;
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
      void this.#dateNoMore(this.#dated);
      this.emit('closed', closed);
    });
  }

  get domain(): string {
    return this.agreement.domain;
  }

  /** The last health the guest reported; it may be some seconds old. */
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
  ): Promise<MethodResult<M>> {
    if (!this.agreement.capabilities.includes(methods[method].capability))
      throw new RequestError('UNSUPPORTED');
    return this.#requester.request(method, params, deadlineMs);
  }

  /**
   * @param isDated with the wake latency of the injected path, if both sides can
   * @returns the path in force
   * @throws RequestError as `start-measurement` answers; BUSY while another is on
   */
  async startMeasurement(params: Params<'start-measurement'>, isDated: boolean): Promise<Path> {
    // A guest would say so too, but after the dating of the one that is on had restarted.
    if (this.#measured !== undefined) throw new RequestError('BUSY', `measurement ${this.#measured} is on`);
    this.#measured = params.measurement;
    try {
      return await this.#startMeasurement(params, isDated);
    } catch (error) {
      this.#measured = undefined;
      throw error;
    }
  }

  async #startMeasurement(params: Params<'start-measurement'>, isDated: boolean): Promise<Path> {
    if (!isDated || !this.dating || !this.canDate)
      return (await this.request('start-measurement', params)).path;
    this.#dated = params.measurement;
    await this.dating.begin(this.#health?.path ?? null);
    try {
      return (await this.request('start-measurement', { ...params, wake_times: true })).path;
    } catch (error) {
      await this.#dateNoMore(params.measurement);
      throw error;
    }
  }

  get canDate(): boolean {
    return this.dating !== undefined && this.agreement.capabilities.includes('wake-times');
  }

  /** The last report comes before. @throws RequestError as `stop-measurement` answers */
  async stopMeasurement(measurement: string): Promise<MethodResult<'stop-measurement'>> {
    try {
      return await this.request('stop-measurement', { measurement });
    } finally {
      if (this.#measured === measurement) this.#measured = undefined;
      await this.#dateNoMore(measurement);
    }
  }

  async #dateNoMore(measurement: string | undefined): Promise<void> {
    if (measurement === undefined || measurement !== this.#dated) return;
    this.#dated = undefined;
    await this.dating?.end();
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
        // What nobody asked for counts for nothing.
        if (message.measurement !== this.#measured) return;
        this.emit('report', this.dating?.date(message) ?? message);
        return;
      case 'measurement-ended':
        if (this.#measured === message.measurement) this.#measured = undefined;
        void this.#dateNoMore(message.measurement);
        this.emit('measurement-ended', message);
        return;
      case 'hello':
        this.close(closeCodes.badMessage, 'a second hello');
        return;
    }
  }
}
