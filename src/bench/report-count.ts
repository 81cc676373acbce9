// SPDX-License-Identifier: Apache-2.0
import type { MeasureEvent } from '../control/schema.js';

/** Which reports came through the host agent, of all guests, and whether any is missing. */
export class ReportCount {
  readonly #last = new Map<string, number>();
  #started = 0;
  #came = 0;
  #missing = 0;
  readonly failed: string[] = [];
  onStarted: (started: number) => void = () => {};

  get came(): number {
    return this.#came;
  }

  /** Reports that a guest sent and that did not come. */
  get missing(): number {
    return this.#missing;
  }

  take(event: MeasureEvent): void {
    switch (event.type) {
      case 'started':
        this.onStarted(++this.#started);
        return;
      case 'report':
        this.#came++;
        this.#upTo(event.uuid, event.report.sequence - 1);
        this.#last.set(event.uuid, event.report.sequence);
        return;
      case 'ended':
        this.#upTo(event.uuid, event.reports);
        return;
      case 'failed':
        this.failed.push(`${event.uuid}: ${event.code}: ${event.message}`);
        return;
    }
  }

  #upTo(uuid: string, sequence: number): void {
    this.#missing += Math.max(0, sequence - (this.#last.get(uuid) ?? 0));
  }
}
