// SPDX-License-Identifier: Apache-2.0
import * as hdr from 'hdr-histogram-js';
import type { GeneratorResult } from '../generator/result.js';
import type { Latency } from './schema.js';

/** One distribution out of several bursts: histograms added, exact minimum, average and maximum kept. */
export function mergeRoundTrips(bursts: readonly GeneratorResult[]): { latency: Latency; histogram: string } {
  const merged = hdr.build({ bitBucketSize: 64, numberOfSignificantValueDigits: 3, autoResize: true });
  let received = 0;
  let sum = 0;
  let min = Number.POSITIVE_INFINITY;
  let max = 0;
  for (const burst of bursts) {
    if (burst.received === 0 || !burst.rtt_ns) continue;
    merged.add(hdr.decodeFromCompressedBase64(burst.histogram));
    received += burst.received;
    sum += burst.rtt_ns.avg * burst.received;
    min = Math.min(min, burst.rtt_ns.min);
    max = Math.max(max, burst.rtt_ns.max);
  }
  const percentile = (share: number) => Math.min(max, Math.max(min, merged.getValueAtPercentile(share)));
  const latency =
    received === 0
      ? { min: 0, avg: 0, p50: 0, p90: 0, p99: 0, p999: 0, max: 0 }
      : {
          min,
          avg: sum / received,
          p50: percentile(50),
          p90: percentile(90),
          p99: percentile(99),
          p999: percentile(99.9),
          max,
        };
  return { latency, histogram: hdr.encodeIntoCompressedBase64(merged) };
}
