// SPDX-License-Identifier: Apache-2.0
import { Measurement } from '../../../guest-agent/measurement.js';
import type { WakeLatency } from '../../../guest-agent/program/dataplane.js';
import type { Path } from '../../../src/protocol/fields.js';
import { noWakes } from '../../../src/protocol/histogram.js';
import type { Report } from '../../../src/protocol/messages.js';
import { RequestError } from '../../../src/session/request-error.js';
import type { Handlers } from '../../../src/session/responder.js';
import { encodeHistogram } from '../../../src/support/hdr/histogram.js';

/** The guest agent's own measuring, on counts that a test gives in place of a dataplane's. */
export class StandInMeasuring {
  #counters: Record<string, number> = {};
  #histogram = noWakes();
  #exact = { count: 0, min: 0, max: 0, sum: 0 };
  #measurement: Measurement | undefined;

  /** @param path in force now */
  constructor(
    private readonly path: () => Path,
    private readonly send: (report: Report) => void,
  ) {}

  readonly handlers: Pick<Handlers, 'start-measurement' | 'stop-measurement'> = {
    'start-measurement': async ({ measurement: id, interval_ms: interval }) => {
      if (this.#measurement) throw new RequestError('BUSY');
      this.#measurement = new Measurement(id, this.#dataplane, this.send);
      await this.#measurement.start(interval, () => {});
      return { path: this.path() };
    },
    'stop-measurement': async ({ measurement: id }) => {
      const measurement = this.#measurement;
      if (measurement?.id !== id) throw new RequestError('NO_MEASUREMENT');
      this.#measurement = undefined;
      await measurement.finish();
      return { reports: measurement.reports };
    },
  };

  count(counters: Record<string, number>): void {
    for (const [name, more] of Object.entries(counters))
      this.#counters[name] = (this.#counters[name] ?? 0) + more;
  }

  /** Wakes of so many ns each. */
  wake(...latencies: number[]): void {
    for (const ns of latencies) {
      this.#histogram.recordValue(ns);
      const { count, min, max, sum } = this.#exact;
      this.#exact = {
        count: count + 1,
        min: count === 0 ? ns : Math.min(min, ns),
        max: Math.max(max, ns),
        sum: sum + ns,
      };
    }
  }

  /** The dataplane ended, and its counts with it. */
  end(): string | undefined {
    const measurement = this.#measurement;
    this.#measurement = undefined;
    measurement?.abandon();
    return measurement?.id;
  }

  readonly #dataplane = {
    keepWakes: async () => {},
    takeWakes: async () => ({ tscKhz: 1_000_000, count: 0, missed: 0, data: '' }),
    info: async () => ({
      version: '',
      path: this.path(),
      idleThresholdUs: 300,
      doorbell: 'installed' as const,
      fallback: undefined,
    }),
    reset: async () => {
      this.#counters = {};
      this.#histogram = noWakes();
      this.#exact = { count: 0, min: 0, max: 0, sum: 0 };
    },
    counters: async () => ({ path: this.path(), counters: { ...this.#counters } }),
    wakeLatency: async (): Promise<WakeLatency> => ({
      ...this.#exact,
      histogram: encodeHistogram(this.#histogram),
    }),
  };
}
