// SPDX-License-Identifier: Apache-2.0
import type { MeasurementEndCode } from '../src/protocol/codes.js';
import type { MethodResult, Params } from '../src/protocol/messages.js';
import { RequestError } from '../src/session/request-error.js';
import type { Log } from '../src/support/log.js';
import { answered } from './answered.js';
import { forPeople } from './health.js';
import { Measurement, MeasurementBroken } from './measurement.js';
import type { Dataplane } from './program/dataplane.js';
import type { SessionKeeper } from './session/session-keeper.js';

type Send = SessionKeeper['send'];

/** The one measurement that the host may have on at a time; it ends with its session. */
export class CurrentMeasurement {
  #current: Measurement | undefined;

  constructor(
    private readonly send: Send,
    private readonly log: Log,
  ) {}

  /** @throws RequestError BUSY, DATAPLANE_FAILED; what aborted the signal */
  async start(
    dataplane: Dataplane,
    { measurement: id, interval_ms: interval, wake_times: wakeTimes }: Params<'start-measurement'>,
    signal: AbortSignal,
  ): Promise<MethodResult<'start-measurement'>> {
    if (this.#current) throw new RequestError('BUSY', `measurement ${this.#current.id} is on`);
    const measurement = new Measurement(id, dataplane, (report) => this.send(report), wakeTimes);
    await answered(
      measurement.start(interval, (error) => {
        if (this.#current !== measurement) return;
        const code = error instanceof MeasurementBroken ? error.code : 'DATAPLANE_FAILED';
        this.end(code, error instanceof Error ? error.message : String(error));
      }),
    );
    const { path } = await answered(dataplane.info());
    if (signal.aborted) {
      // Nobody waits for it any more.
      measurement.abandon();
      throw signal.reason;
    }
    this.#current = measurement;
    this.log.info({ measurement: id, interval_ms: interval, path }, 'measurement started');
    return { path };
  }

  /** The last report comes before. @throws RequestError NO_MEASUREMENT, DATAPLANE_FAILED */
  async finish({ measurement: id }: Params<'stop-measurement'>): Promise<MethodResult<'stop-measurement'>> {
    const measurement = this.#current;
    if (measurement?.id !== id) throw new RequestError('NO_MEASUREMENT');
    this.#current = undefined;
    await answered(measurement.finish());
    this.log.info({ measurement: id, reports: measurement.reports }, 'measurement stopped');
    return { reports: measurement.reports };
  }

  /** Ends it without a word: its session is lost. */
  drop(): Measurement | undefined {
    const measurement = this.#current;
    this.#current = undefined;
    measurement?.abandon();
    return measurement;
  }

  /** Ends it, and tells the host why. */
  end(code: MeasurementEndCode, why: string): void {
    const measurement = this.drop();
    if (!measurement) return;
    this.log.warn({ measurement: measurement.id, code }, why);
    this.send({
      type: 'measurement-ended',
      measurement: measurement.id,
      code,
      message: forPeople(why),
    });
  }
}
