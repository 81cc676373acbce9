// SPDX-License-Identifier: Apache-2.0

import type { Histogram } from 'hdr-histogram-js';
import type { Path } from '../protocol/fields.js';
import { decodeWakes, noWakes } from '../protocol/histogram.js';
import type { Report } from '../protocol/messages.js';
import { encodeHistogram } from '../support/hdr/histogram.js';
import { impossible, type Total, wentBack } from './totals.js';

/** What a guest measured so far, whole. */
export interface Measured {
  /** In force in every report. */
  path: Path;
  /** ns, exact; min is null if nothing was counted. */
  total: Total;
  /** All wakes: HDR V2, compressed, base64. */
  histogram: string;
  /** The dataplane's counters since the beginning. */
  counters: Record<string, number>;
  /** On the guest's clock, us. */
  elapsedUs: number;
  reports: number;
}

/** Adds the reports of one measurement up; takes no more once one is missing or does not fit. */
export class MeasurementSum {
  readonly #sum = noWakes();
  #last: Report | undefined;
  #broken: string | undefined;

  /** Why it is not whole; undefined while all is well. What was added before stands. */
  get broken(): string | undefined {
    return this.#broken;
  }

  /** Reports added. */
  get reports(): number {
    return this.#last?.sequence ?? 0;
  }

  /** Undefined before the first report. */
  get measured(): Measured | undefined {
    if (!this.#last) return undefined;
    const { path, counters, elapsed_us: elapsedUs, wake_latency: wakeLatency, sequence } = this.#last;
    const histogram = encodeHistogram(this.#sum);
    return { path, total: wakeLatency.total, histogram, counters, elapsedUs, reports: sequence };
  }

  /** @returns what is new in it; undefined if it cannot be added */
  take(report: Report): Histogram | undefined {
    if (this.#broken !== undefined) return undefined;
    const expected = this.reports + 1;
    const { delta, total } = report.wake_latency;
    if (report.sequence !== expected) return this.#break(`report ${report.sequence} came for ${expected}`);
    if (this.#last && report.path !== this.#last.path)
      return this.#break(`the path went from ${this.#last.path} to ${report.path}`);
    try {
      const histogram = decodeWakes(delta.histogram);
      if (histogram.totalCount !== delta.count)
        return this.#break(`report ${expected} says ${delta.count} and holds ${histogram.totalCount}`);
      const why = wentBack(this.#last?.wake_latency.total, total) ?? impossible(total);
      if (why !== undefined) return this.#break(`report ${expected}: the totals ${why}`);
      this.#sum.add(histogram);
      this.#last = report;
      return histogram;
    } catch (error) {
      return this.#break(`report ${expected}: ${(error as Error).message}`);
    }
  }

  /** The guest says that it sent so many. */
  end(reports: number): void {
    if (this.reports !== reports) this.#break(`${reports} reports were sent, ${this.reports} came`);
  }

  #break(why: string): undefined {
    this.#broken ??= why;
    return undefined;
  }
}
