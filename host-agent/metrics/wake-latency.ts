// SPDX-License-Identifier: Apache-2.0
import type { LivePath } from '../../src/protocol/live.js';
import { latencyBounds } from '../live/latency-bounds.js';
import type { LatencySum } from '../live/latency-sums.js';

const name = 'vmcall_wake_latency_seconds';
const nsPerSecond = 1e9;

export interface WakeLatency {
  /** UUID */
  domain: string;
  path: LivePath;
  sum: LatencySum;
}

/**
 * A classic histogram in Prometheus' text format. prom-client takes observations one by one, and these come counted, by
 * thousands at once.
 */
export function wakeLatencyText(latencies: readonly WakeLatency[]): string {
  const lines = latencies.flatMap(({ domain, path, sum }) => {
    const labels = `domain="${domain}",path="${path}"`;
    let count = 0;
    const buckets = [...latencyBounds, Number.POSITIVE_INFINITY].map((bound, at) => {
      count += sum.buckets[at] ?? 0;
      const le = bound === Number.POSITIVE_INFINITY ? '+Inf' : String(bound / nsPerSecond);
      return `${name}_bucket{${labels},le="${le}"} ${count}`;
    });
    return [
      ...buckets,
      `${name}_sum{${labels}} ${sum.sum / nsPerSecond}`,
      `${name}_count{${labels}} ${sum.count}`,
    ];
  });
  return [
    `# HELP ${name} From the doorbell, or on the injected path the interrupt, in the host to the program in the guest.`,
    `# TYPE ${name} histogram`,
    ...lines,
    '',
  ].join('\n');
}
