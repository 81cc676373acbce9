// SPDX-License-Identifier: Apache-2.0
import { randomUUID } from 'node:crypto';
import type { Path } from '../../src/protocol/fields.js';
import { decodeHistogram, emptyHistogram, encodeHistogram } from '../../src/protocol/histogram.js';
import { limits } from '../../src/protocol/limits.js';
import type { MeasurementEnded, Report } from '../../src/protocol/messages.js';
import type { Closed } from '../../src/session/channel.js';
import { VmcallError } from '../../src/support/errors.js';
import type { GuestSession } from './guest-session.js';

/** What a guest measured, whole. */
export interface GuestMeasured {
  /** In force at the beginning, and in every report. */
  path: Path;
  /** ns, exact; min is null if nothing was counted. */
  total: Report['wake_latency']['total'];
  /** All wakes: HDR V2, compressed, base64. */
  histogram: string;
  /** The dataplane's counters since the beginning. */
  counters: Record<string, number>;
  /** On the guest's clock, us. */
  elapsedUs: number;
  reports: number;
}

/** One measurement in a guest, from the host's side: adds its reports up, and fails whole if one is missing. */
export class GuestMeasurement {
  readonly #id = randomUUID();
  readonly #sum = emptyHistogram();
  readonly #onReport = (report: Report) => this.#take(report);
  readonly #onEnded = (ended: MeasurementEnded) => {
    if (ended.measurement === this.#id) this.#break(`${ended.code}: ${ended.message}`);
  };
  readonly #onClosed = (closed: Closed) => this.#break(`the session was lost with ${closed.code}`);
  #path: Path | undefined;
  #last: Report | undefined;
  #broken: VmcallError | undefined;

  private constructor(private readonly session: GuestSession) {}

  /** @throws RequestError as `start-measurement` answers */
  static async start(
    session: GuestSession,
    intervalMs: number = limits.reportIntervalMs.usual,
  ): Promise<GuestMeasurement> {
    const measurement = new GuestMeasurement(session);
    session.on('report', measurement.#onReport);
    session.on('measurement-ended', measurement.#onEnded);
    session.on('closed', measurement.#onClosed);
    try {
      const params = { measurement: measurement.#id, interval_ms: intervalMs };
      measurement.#path = (await session.request('start-measurement', params)).path;
    } catch (error) {
      measurement.#listenNoMore();
      throw error;
    }
    return measurement;
  }

  /** Why it cannot be finished; undefined while all is well. */
  get broken(): VmcallError | undefined {
    return this.#broken;
  }

  /** Ends it. @throws VmcallError MEASUREMENT_BROKEN; RequestError as `stop-measurement` answers */
  async finish(): Promise<GuestMeasured> {
    try {
      if (this.#broken) throw this.#broken;
      const { reports } = await this.session.request('stop-measurement', { measurement: this.#id });
      if (this.#last?.sequence !== reports)
        this.#break(`${reports} reports were sent, ${this.#last?.sequence ?? 0} came`);
      if (this.#broken) throw this.#broken;
      if (!this.#last || !this.#path) throw this.#break('no report came');
      const { counters, elapsed_us: elapsedUs, wake_latency: wakeLatency } = this.#last;
      const histogram = encodeHistogram(this.#sum);
      return { path: this.#path, total: wakeLatency.total, histogram, counters, elapsedUs, reports };
    } finally {
      this.#listenNoMore();
    }
  }

  #take(report: Report): void {
    if (report.measurement !== this.#id || this.#broken) return;
    const expected = (this.#last?.sequence ?? 0) + 1;
    if (report.sequence !== expected)
      return void this.#break(`report ${report.sequence} came for ${expected}`);
    if (this.#path !== undefined && report.path !== this.#path)
      return void this.#break(`the path went from ${this.#path} to ${report.path}`);
    try {
      const delta = decodeHistogram(report.wake_latency.delta.histogram);
      if (delta.totalCount !== report.wake_latency.delta.count)
        return void this.#break(
          `report ${expected} says ${report.wake_latency.delta.count} and holds ${delta.totalCount}`,
        );
      this.#sum.add(delta);
    } catch (error) {
      return void this.#break(`report ${expected}: ${(error as Error).message}`);
    }
    this.#last = report;
  }

  #break(why: string): VmcallError {
    this.#broken ??= new VmcallError(
      'MEASUREMENT_BROKEN',
      `the measurement in ${this.session.domain} cannot be used: ${why}`,
      "See the guest agent's log, and measure again",
    );
    return this.#broken;
  }

  #listenNoMore(): void {
    this.session.off('report', this.#onReport);
    this.session.off('measurement-ended', this.#onEnded);
    this.session.off('closed', this.#onClosed);
  }
}
