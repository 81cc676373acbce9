// SPDX-License-Identifier: Apache-2.0
import { z } from 'zod';
import type { GeneratorResult } from '../../../results/generator-result.js';
import { mergeRoundTrips } from '../../../results/latency.js';
import { latencySchema } from '../../../results/schema.js';

const count = z.int().min(0);

/** Bursts of packets, added up. */
export const burstTotalsSchema = z.strictObject({
  sent: count,
  received: count,
  lost: count,
  /** Slower than one packet interval. */
  late: count,
  /** Null where nothing came back. */
  rtt_ns: latencySchema.nullable(),
  /** HDR histogram, V2 compressed, base64. */
  rtt_histogram: z.string().max(4 * 2 ** 20),
});
export type BurstTotals = z.infer<typeof burstTotalsSchema>;

export function burstTotalsOf(bursts: readonly GeneratorResult[]): BurstTotals {
  const total = (key: 'sent' | 'received' | 'lost' | 'late') =>
    bursts.reduce((sum, burst) => sum + burst[key], 0);
  const { latency, histogram } = mergeRoundTrips(bursts);
  const received = total('received');
  return {
    sent: total('sent'),
    received,
    lost: total('lost'),
    late: total('late'),
    rtt_ns: received > 0 ? latency : null,
    rtt_histogram: histogram,
  };
}
