// SPDX-License-Identifier: Apache-2.0
import { setTimeout as delay } from 'node:timers/promises';
import type { MeasurementEndCode } from '../src/protocol/codes.js';
import { HistogramDeltas } from '../src/protocol/delta.js';
import { isDatedByHost } from '../src/protocol/fields.js';
import { limits } from '../src/protocol/limits.js';
import type { Report, WakeTimes } from '../src/protocol/messages.js';
import type { Dataplane } from './program/dataplane.js';

/** What a measurement needs of the dataplane. */
export type MeasuredDataplane = Pick<
  Dataplane,
  'reset' | 'counters' | 'wakeLatency' | 'keepWakes' | 'takeWakes'
>;

/** Why a measurement cannot go on. */
export class MeasurementBroken extends Error {
  constructor(
    readonly code: MeasurementEndCode,
    message: string,
  ) {
    super(message);
  }
}

/** One measurement: the dataplane's cumulative counts from a reset on, as reports of what is new. */
export class Measurement {
  readonly #stop = new AbortController();
  #running: Promise<void> = Promise.resolve();
  readonly #deltas = new HistogramDeltas();
  #lastCount = 0;
  #sequence = 0;
  #began = 0;

  /**
   * @param send takes each report
   * @param withWakeTimes the times of sleeps in interrupts are reported, too
   */
  constructor(
    readonly id: string,
    private readonly dataplane: MeasuredDataplane,
    private readonly send: (report: Report) => void,
    private readonly withWakeTimes = false,
  ) {}

  /** Reports sent. */
  get reports(): number {
    return this.#sequence;
  }

  /**
   * Resets the counters and reports each `intervalMs` from then on.
   * @param broken called once if it cannot go on
   */
  async start(intervalMs: number, broken: (error: unknown) => void): Promise<void> {
    await this.dataplane.reset();
    if (this.withWakeTimes) await this.dataplane.keepWakes(true);
    this.#began = performance.now();
    this.#running = this.#run(intervalMs).catch((error: unknown) => {
      if (!this.#stop.signal.aborted) broken(error);
    });
  }

  /** Sends the last report. @throws MeasurementBroken and the dataplane's errors */
  async finish(): Promise<void> {
    this.#stop.abort();
    await this.#running;
    await this.#report();
    if (this.withWakeTimes) await this.dataplane.keepWakes(false);
  }

  /** Reports no more. */
  abandon(): void {
    this.#stop.abort();
    // If the dataplane does not hear it any more, it keeps nothing either.
    if (this.withWakeTimes) void this.dataplane.keepWakes(false).catch(() => {});
  }

  async #run(intervalMs: number): Promise<void> {
    const { signal } = this.#stop;
    for (let due = this.#began + intervalMs; ; due += intervalMs) {
      await delay(Math.max(0, due - performance.now()), undefined, { signal });
      await this.#report();
      // Reports that could not be made in time are left out, not made up for: the next delta holds their counts.
      due = Math.max(due, performance.now() - intervalMs);
    }
  }

  async #report(): Promise<void> {
    const { path, counters } = await this.dataplane.counters();
    const { count, min, max, sum, histogram } = await this.dataplane.wakeLatency();
    if (count < this.#lastCount)
      throw new MeasurementBroken('DATAPLANE_RESET', `the count went from ${this.#lastCount} to ${count}`);
    const delta = this.#deltas.take(histogram);
    const wakeTimes = this.withWakeTimes && isDatedByHost(path) ? await this.#wakeTimes() : undefined;
    this.#lastCount = count;
    this.send({
      type: 'report',
      measurement: this.id,
      sequence: ++this.#sequence,
      elapsed_us: Math.round((performance.now() - this.#began) * 1000),
      path,
      wake_latency: {
        unit: 'ns',
        delta,
        total: { count, min: count === 0 ? null : min, max, sum },
      },
      counters,
      ...(wakeTimes && { wake_times: wakeTimes }),
    });
  }

  /** As many as a report has room for; the rest is for the next one. */
  async #wakeTimes(): Promise<WakeTimes> {
    let wakes = await this.dataplane.takeWakes();
    const data = [wakes.data];
    while (wakes.count > 0 && data.length < limits.wakeTimesParts) {
      wakes = await this.dataplane.takeWakes();
      data.push(wakes.data);
    }
    return { tsc_khz: wakes.tscKhz, missed: wakes.missed, data };
  }
}
