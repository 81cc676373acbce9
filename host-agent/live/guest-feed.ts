// SPDX-License-Identifier: Apache-2.0
import { randomUUID } from 'node:crypto';
import { limits } from '../../src/protocol/limits.js';
import type { MeasurementEnded, Report } from '../../src/protocol/messages.js';
import { BackOff } from '../../src/support/back-off.js';
import type { GuestSession } from '../guest-sessions/guest-session.js';
import type { GuestFigures } from './figures.js';

/**
 * Keeps a measurement on in one guest for as long as its session lives, and begins another whenever one ends. It gives
 * way to a run's own measurement, for a guest has one at a time. Whatever a guest does or leaves, nobody waits for it.
 */
export class GuestFeed {
  readonly #backOff = new BackOff(500, 5_000);
  #measurement: string | undefined;
  #starting: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isPaused = false;
  #isClosed = false;

  constructor(
    private readonly session: GuestSession,
    private readonly figures: GuestFigures,
  ) {
    if (!session.agreement.capabilities.includes('measurement')) return;
    session.standing = this;
    session.on('report', (report) => this.#take(report));
    session.on('measurement-ended', (ended) => this.#ended(ended));
    session.once('closed', () => {
      this.#isClosed = true;
      clearTimeout(this.#timer);
    });
    this.resume();
  }

  /** Resolves once the guest is free for another measurement, as far as this one goes. */
  async pause(): Promise<void> {
    this.#isPaused = true;
    clearTimeout(this.#timer);
    await this.#starting;
    const measurement = this.#measurement;
    this.#measurement = undefined;
    if (measurement) await this.session.request('stop-measurement', { measurement }).catch(() => {});
  }

  resume(): void {
    this.#isPaused = false;
    if (this.#isClosed) return;
    this.#starting ??= this.#start().finally(() => {
      this.#starting = undefined;
    });
  }

  async #start(): Promise<void> {
    const measurement = randomUUID();
    this.#measurement = measurement;
    this.figures.begin();
    try {
      await this.session.request('start-measurement', {
        measurement,
        interval_ms: limits.reportIntervalMs.usual,
      });
      this.#backOff.reset();
    } catch {
      this.#measurement = undefined;
      this.#startLater();
    }
  }

  #startLater(): void {
    if (this.#isPaused || this.#isClosed) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.resume(), this.#backOff.next());
  }

  #take(report: Report): void {
    if (report.measurement === this.#measurement) this.figures.take(report, performance.now());
  }

  #ended({ measurement }: MeasurementEnded): void {
    if (measurement !== this.#measurement) return;
    this.#measurement = undefined;
    this.#startLater();
  }
}
