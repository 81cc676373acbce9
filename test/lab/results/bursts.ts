// SPDX-License-Identifier: Apache-2.0
import * as hdr from 'hdr-histogram-js';
import type { GeneratorResult } from '../../../src/results/generator-result.js';

/** What the generator says of packets with these round trips, ns. */
export function burst(roundTrips: number[]): GeneratorResult {
  const histogram = hdr.build({ bitBucketSize: 64, numberOfSignificantValueDigits: 3, autoResize: true });
  for (const value of roundTrips) histogram.recordValue(value);
  const sorted = [...roundTrips].sort((a, b) => a - b);
  const at = (share: number) => sorted[Math.ceil(share * sorted.length) - 1] ?? 0;
  const count = roundTrips.length;
  return {
    sent: count,
    received: count,
    lost: 0,
    duplicate: 0,
    late: 0,
    reordered: 0,
    postponed: 1,
    warmup: 0,
    seed: 1,
    pattern: 'constant',
    histogram: hdr.encodeIntoCompressedBase64(histogram),
    rtt_ns: {
      min: sorted[0] ?? 0,
      max: at(1),
      p50: at(0.5),
      p90: at(0.9),
      p99: at(0.99),
      p999: at(0.999),
      avg: roundTrips.reduce((sum, value) => sum + value, 0) / count,
    },
  };
}
