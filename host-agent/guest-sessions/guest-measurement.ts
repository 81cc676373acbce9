// SPDX-License-Identifier: Apache-2.0
import { randomUUID } from 'node:crypto';
import type { Path } from '../../src/protocol/fields.js';
import { limits } from '../../src/protocol/limits.js';
import type { MeasurementEnded, Report } from '../../src/protocol/messages.js';
import type { Closed } from '../../src/session/channel.js';
import { VmcallError } from '../../src/support/errors.js';
import type { GuestSession } from './guest-session.js';

export interface GuestMeasurementListener {
  /** In order, and none after `broken`. */
  onReport(report: Report): void;
  /** It cannot go on. Called at most once. */
  onBroken(error: VmcallError): void;
}

/** One measurement in a guest, from the host's side: started, listened to, ended. What it measured is for others to add up. */
export class GuestMeasurement {
  readonly #id = randomUUID();
  readonly #onReport = (report: Report) => {
    if (report.measurement === this.#id) this.listener.onReport(report);
  };
  readonly #onEnded = (ended: MeasurementEnded) => {
    if (ended.measurement === this.#id) this.#break(`${ended.code}: ${ended.message}`);
  };
  readonly #onClosed = (closed: Closed) => this.#break(`the session was lost with ${closed.code}`);
  #path: Path | undefined;
  #isOver = false;
  #broken: VmcallError | undefined;

  private constructor(
    private readonly session: GuestSession,
    private readonly listener: GuestMeasurementListener,
  ) {}

  /** @throws RequestError as `start-measurement` answers */
  static async start(
    session: GuestSession,
    listener: GuestMeasurementListener,
    intervalMs: number = limits.reportIntervalMs.usual,
  ): Promise<GuestMeasurement> {
    const measurement = new GuestMeasurement(session, listener);
    await session.standing?.pause();
    session.on('report', measurement.#onReport);
    session.on('measurement-ended', measurement.#onEnded);
    session.on('closed', measurement.#onClosed);
    try {
      const params = { measurement: measurement.#id, interval_ms: intervalMs };
      measurement.#path = await session.startMeasurement(params, true);
    } catch (error) {
      measurement.#listenNoMore();
      throw error;
    }
    return measurement;
  }

  /** In force when it began. */
  get path(): Path {
    return this.#path as Path;
  }

  /** Ends it; the last report comes before. @throws VmcallError MEASUREMENT_BROKEN; RequestError as `stop-measurement` answers */
  async finish(): Promise<{ reports: number }> {
    try {
      if (this.#broken) throw this.#broken;
      return await this.session.stopMeasurement(this.#id);
    } finally {
      this.#listenNoMore();
    }
  }

  #break(why: string): void {
    if (this.#broken) return;
    this.#listenNoMore();
    this.#broken = new VmcallError(
      'MEASUREMENT_BROKEN',
      `the measurement in ${this.session.domain} cannot go on: ${why}`,
      "See the guest agent's log, and measure again",
    );
    this.listener.onBroken(this.#broken);
  }

  #listenNoMore(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.session.off('report', this.#onReport);
    this.session.off('measurement-ended', this.#onEnded);
    this.session.off('closed', this.#onClosed);
    this.session.standing?.resume();
  }
}
