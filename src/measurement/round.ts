// SPDX-License-Identifier: Apache-2.0

import type { Histogram } from 'hdr-histogram-js';
import type { Measure, MeasureEvent } from '../control/schema.js';
import type { Path } from '../protocol/fields.js';
import { type Measured, MeasurementSum } from './sum.js';

/** What one report held: for a course over time. Times in s since the round's first report was awaited; latencies in ns. */
export interface Interval {
  atS: number;
  lengthS: number;
  count: number;
  p50: number;
  p99: number;
  max: number;
}

/** One measurement of one domain, as far as it went. */
export interface MeasuredRound {
  path: Path;
  measured: Measured;
  intervals: Interval[];
  /** Why it is less than was asked for; undefined if it is whole. */
  partial: string | undefined;
  /** Why its wakes were not timed; undefined if they were, or there was none. */
  undated?: string | undefined;
}

/** Who can have a guest measure: the host agent's client. */
export interface Measurer {
  measure(measure: Measure, signal: AbortSignal): AsyncIterable<MeasureEvent>;
}

/**
 * Measures one domain once. What came before an end that was not asked for is kept.
 * @returns undefined if nothing came; `why` says why then
 */
export async function measureRound(
  measurer: Measurer,
  measure: Measure,
  signal: AbortSignal,
  onInterval: (interval: Interval) => void,
): Promise<{ round: MeasuredRound | undefined; why: string | undefined }> {
  const sum = new MeasurementSum();
  const intervals: Interval[] = [];
  let why: string | undefined;
  let undated: string | undefined;
  let isEnded = false;
  let elapsedS = 0;
  try {
    for await (const event of measurer.measure(measure, signal)) {
      if (event.type === 'failed') why = `${event.code}: ${event.message}`;
      if (event.type === 'undated') undated = `${event.code}: ${event.message}`;
      if (event.type === 'ended') {
        sum.end(event.reports);
        isEnded = true;
      }
      if (event.type !== 'report') continue;
      const delta = sum.take(event.report);
      const untilS = event.report.elapsed_us / 1e6;
      if (delta && delta.totalCount > 0) {
        const interval = intervalOf(delta, elapsedS, untilS);
        intervals.push(interval);
        onInterval(interval);
      }
      elapsedS = untilS;
    }
  } catch (error) {
    why = (error as Error).message;
  }
  why ??= sum.broken ?? (isEnded ? undefined : 'it was interrupted');
  const { measured } = sum;
  return { round: measured && { path: measured.path, measured, intervals, partial: why, undated }, why };
}

function intervalOf(delta: Histogram, atS: number, untilS: number): Interval {
  return {
    atS,
    lengthS: Math.max(0, untilS - atS),
    count: delta.totalCount,
    p50: delta.getValueAtPercentile(50),
    p99: delta.getValueAtPercentile(99),
    max: delta.maxValue,
  };
}
