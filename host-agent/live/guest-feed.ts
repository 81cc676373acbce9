// SPDX-License-Identifier: Apache-2.0
import { randomUUID } from 'node:crypto';
import { limits } from '../../src/protocol/limits.js';
import type { MeasurementEnded, Report } from '../../src/protocol/messages.js';
import { BackOff } from '../../src/support/back-off.js';
import type { GuestSession } from '../guest-sessions/guest-session.js';
import type { GuestFigures } from './figures.js';

/** Somebody else reset the counters, to count themselves: they are left alone for so long, ms. */
const afterResetMs = 60_000;

/**
 * Keeps a measurement on in one guest for as long as its session lives, and begins another whenever one ends. It gives
 * way to a run's own measurement, for a guest has one at a time. Whatever a guest does or leaves, nobody waits for it.
 */
export class GuestFeed {
  readonly #backOff = new BackOff(500, 5_000);
  #measurement: string | undefined;
  #starting: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  /** Those who have it paused. */
  #pauses = 0;
  #isOff = false;
  /** Somebody looks on, for whom injected interrupts are timed, too. */
  #isObserved: boolean;
  #isClosed = false;

  constructor(
    private readonly session: GuestSession,
    private readonly figures: GuestFigures,
    isOn: boolean,
    isObserved = false,
  ) {
    this.#isObserved = isObserved;
    if (!session.agreement.capabilities.includes('measurement')) return;
    this.#isOff = !isOn;
    session.standing = this;
    session.on('report', (report) => this.#take(report));
    session.on('measurement-ended', (ended) => this.#ended(ended));
    session.once('closed', () => {
      this.#isClosed = true;
      clearTimeout(this.#timer);
    });
    this.#startNow();
  }

  /** Resolves once the guest is free for another measurement, as far as this one goes. Each pause has its resume. */
  async pause(): Promise<void> {
    this.#pauses++;
    await this.#stopNow();
  }

  /** The last who paused it has it go on. */
  resume(): void {
    this.#pauses--;
    this.#startNow();
  }

  /** @param isOn whether it measures whenever nobody else does */
  async turn(isOn: boolean): Promise<void> {
    this.#isOff = !isOn;
    if (isOn) this.#startNow();
    else await this.#stopNow();
  }

  /** @param isObserved whether somebody looks on; what is measured starts again where that makes it more or less */
  async observe(isObserved: boolean): Promise<void> {
    this.#isObserved = isObserved;
    if (!this.session.canDate) return;
    await this.pause();
    this.resume();
  }

  get #isIdle(): boolean {
    return this.#isOff || this.#isClosed || this.#pauses > 0;
  }

  async #stopNow(): Promise<void> {
    clearTimeout(this.#timer);
    await this.#starting;
    const measurement = this.#measurement;
    this.#measurement = undefined;
    if (measurement) await this.session.stopMeasurement(measurement).catch(() => {});
  }

  #startNow(): void {
    if (this.#isIdle || this.#measurement) return;
    this.#starting ??= this.#start().finally(() => {
      this.#starting = undefined;
    });
  }

  async #start(): Promise<void> {
    const measurement = randomUUID();
    this.#measurement = measurement;
    try {
      const params = { measurement, interval_ms: limits.reportIntervalMs.usual };
      await this.session.startMeasurement(params, this.#isObserved);
      this.#backOff.reset();
    } catch {
      this.#measurement = undefined;
      this.#startLater();
    }
  }

  #startLater(ms: number = this.#backOff.next()): void {
    if (this.#isIdle) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#startNow(), ms);
  }

  /** A run's own too. */
  #take(report: Report): void {
    this.figures.take(report, performance.now());
  }

  #ended({ measurement, code }: MeasurementEnded): void {
    if (measurement !== this.#measurement) return;
    this.#measurement = undefined;
    this.#startLater(code === 'DATAPLANE_RESET' ? afterResetMs : undefined);
  }
}
