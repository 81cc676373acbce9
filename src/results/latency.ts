// SPDX-License-Identifier: Apache-2.0
import type { Histogram } from 'hdr-histogram-js';
import { encodeHistogram } from '../support/hdr/histogram.js';
import type { GeneratorResult } from './generator-result.js';
import { decodeHistogram, emptyHistogram } from './histogram.js';
import type { Latency } from './schema.js';

/** One distribution out of several bursts: histograms added, exact minimum, average and maximum kept. */
export function mergeRoundTrips(bursts: readonly GeneratorResult[]): { latency: Latency; histogram: string } {
  const merged = emptyHistogram();
  let received = 0;
  let sum = 0;
  let min = Number.POSITIVE_INFINITY;
  let max = 0;
  for (const burst of bursts) {
    if (burst.received === 0 || !burst.rtt_ns) continue;
    merged.add(decodeHistogram(burst.histogram));
    received += burst.received;
    sum += burst.rtt_ns.avg * burst.received;
    min = Math.min(min, burst.rtt_ns.min);
    max = Math.max(max, burst.rtt_ns.max);
  }
  const latency = received === 0 ? nothing : { ...percentilesOf(merged, { min, max }), avg: sum / received };
  return { latency, histogram: encodeHistogram(merged) };
}

const nothing: Latency = { min: 0, avg: 0, p50: 0, p90: 0, p99: 0, p999: 0, max: 0 };

/** The percentiles of a histogram, held within the exact `min` and `max` kept beside it. */
export function percentilesOf(
  histogram: Histogram,
  { min, max }: { min: number; max: number },
): Omit<Latency, 'avg'> {
  const percentile = (share: number) => Math.min(max, Math.max(min, histogram.getValueAtPercentile(share)));
  return { min, p50: percentile(50), p90: percentile(90), p99: percentile(99), p999: percentile(99.9), max };
}

/** Of single values, ns; at least one. */
export function latencyOf(values: readonly number[]): Latency {
  const histogram = emptyHistogram();
  let sum = 0;
  for (const value of values) {
    histogram.recordValue(Math.round(value));
    sum += value;
  }
  const exact = { min: Math.min(...values), max: Math.max(...values) };
  return { ...percentilesOf(histogram, exact), avg: sum / values.length };
}
