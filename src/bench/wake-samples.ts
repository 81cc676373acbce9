// SPDX-License-Identifier: Apache-2.0
import { randomLogNormal } from 'd3-random';
import { noWakes } from '../protocol/histogram.js';
import { seededRandom } from '../statistics/random.js';
import { encodeHistogram } from '../support/hdr/histogram.js';

/** A second's wakes of one guest: exact figures in ns, and the histogram as a report has it. */
export interface WakeSample {
  count: number;
  min: number;
  max: number;
  sum: number;
  histogram: string;
}

/** So many different seconds; then they come again. */
const different = 32;
/** Wakes of some 10 us with a long tail: what fills a report, not what anything is judged by. */
const typicalNs = 10_000;
const spread = 0.35;

/** Seconds of a guest with so many wakes in each, drawn once, so that a thousand guests need no more CPU than sending takes. */
export class WakeSamples {
  readonly #samples: WakeSample[];
  #at = 0;

  /** @param wakes in a second */
  constructor(wakes: number, seed = 1) {
    const { uniform } = seededRandom(seed);
    const draw = randomLogNormal.source(uniform)(Math.log(typicalNs), spread);
    this.#samples = Array.from({ length: different }, () => {
      const histogram = noWakes();
      const values = Array.from({ length: wakes }, () => Math.max(1, Math.round(draw())));
      for (const value of values) histogram.recordValue(value);
      return {
        count: wakes,
        min: Math.min(...values),
        max: Math.max(...values),
        sum: values.reduce((sum, value) => sum + value, 0),
        histogram: encodeHistogram(histogram),
      };
    });
  }

  next(): WakeSample {
    this.#at = (this.#at + 1) % different;
    return this.#samples[this.#at] as WakeSample;
  }
}

/** The dataplane's counters (guest-agent/dataplane/stats.h) of a guest that slept before each packet. */
export function countersAt(wakes: number): Record<string, number> {
  return {
    rx: wakes,
    tx: wakes,
    tx_dropped: 0,
    polls: wakes * 3,
    empty_polls: wakes * 2,
    arms: wakes,
    rx_after_arm: 0,
    waits: wakes,
    waits_immediate: 0,
    ring_clock_errors: 0,
    waits_without_packet: 0,
    wait_cycles: wakes * 700_000,
    policy_switches: 1,
    fallbacks: 0,
    wakes_doorbell: wakes,
    wakes_timeout: 0,
    wakes_event: 0,
    wakes_off: 0,
    wakes_error: 0,
  };
}
