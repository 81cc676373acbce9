// SPDX-License-Identifier: Apache-2.0
import { latencyBounds } from '../live/latency-bounds.js';
import type { DomainFamily } from './domain-family.js';
import { seriesLine } from './text-format.js';

const name = 'vmcall_wake_latency_seconds';
const nsPerSecond = 1e9;
const bounds = [...latencyBounds.map((bound) => String(bound / nsPerSecond)), '+Inf'];

/** A classic histogram. What comes is counted already, by thousands at once, and not observed one by one. */
export const wakeLatency: DomainFamily = {
  name,
  type: 'histogram',
  help: 'From the doorbell, or on the injected path the interrupt, in the host to the program in the guest.',
  text({ status: { uuid: domain }, figures }) {
    const ofPath = [...(figures?.latency ?? [])].map(([path, { buckets, sum, count }]) => {
      const labels = { domain, path };
      let upTo = 0;
      const lines = bounds.map((le, at) => {
        upTo += buckets[at] ?? 0;
        return seriesLine(`${name}_bucket`, { ...labels, le }, upTo);
      });
      return [
        ...lines,
        seriesLine(`${name}_sum`, labels, sum / nsPerSecond),
        seriesLine(`${name}_count`, labels, count),
      ].join('');
    });
    return ofPath.join('');
  },
};
