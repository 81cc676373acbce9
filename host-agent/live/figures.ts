// SPDX-License-Identifier: Apache-2.0
import { type HistogramBin, histogramBins } from '../../src/protocol/histogram.js';
import { type LiveInterval, type LivePath, type WakeReason, wakeReasons } from '../../src/protocol/live.js';
import type { Report } from '../../src/protocol/messages.js';
import { latencyBounds } from './latency-bounds.js';

/** What of a report's counters is kept; a guest may name others as it likes. */
const kept: readonly string[] = [
  ...['rx', 'tx', 'tx_dropped', 'waits', 'waits_immediate', 'waits_without_packet', 'waited_us'],
  ...['policy_switches', 'fallbacks', 'ring_clock_errors', ...wakeReasons.map((reason) => `wakes_${reason}`)],
];

/** Wake latency of one path since the agent began. */
export interface LatencySum {
  /** For each bound of `latencyBounds`, how many were above the bound before and not above it; then those above all. */
  readonly buckets: number[];
  count: number;
  /** ns */
  sum: number;
}

/** What one guest reported: sums since the agent began, and the last interval. Pure: no clock and no session. */
export class GuestFigures {
  /** The dataplane's counters, added up over its restarts. */
  readonly counters = new Map<string, number>();
  readonly latency = new Map<LivePath, LatencySum>();
  reports = 0;
  /** Reports that were sent and did not come, or could not be used. */
  missed = 0;
  #before: Report | undefined;
  #last: { interval: Omit<LiveInterval, 'age_ms'>; at: number } | undefined;

  /** When the last interval ended, on the clock of `take`; undefined before the first report. */
  get at(): number | undefined {
    return this.#last?.at;
  }

  /** @param now when it came, ms of a clock that never goes back */
  take(report: Report, now: number): void {
    const before = this.#before;
    const isFirst = before?.measurement !== report.measurement;
    this.missed += Math.max(0, report.sequence - (isFirst ? 0 : before.sequence) - 1);
    this.reports++;
    this.#before = report;
    const since = (name: string) =>
      Math.max(0, (report.counters[name] ?? 0) - (isFirst ? 0 : (before.counters[name] ?? 0)));
    for (const name of kept) this.counters.set(name, (this.counters.get(name) ?? 0) + since(name));

    const path = since('policy_switches') + since('fallbacks') > 0 ? 'switching' : report.path;
    const wakeLatency = this.#takeLatency(report, isFirst ? undefined : before, path);
    const elapsed = report.elapsed_us - (isFirst ? 0 : before.elapsed_us);
    this.#last = {
      at: now,
      interval: {
        path,
        elapsed_us: Math.max(1, elapsed),
        rx: since('rx'),
        tx: since('tx'),
        wakes: Object.fromEntries(wakeReasons.map((reason) => [reason, since(`wakes_${reason}`)])) as Record<
          WakeReason,
          number
        >,
        waited_us: since('waited_us'),
        wake_latency: wakeLatency,
      },
    };
  }

  /** The last interval, as it is told at `now`. */
  interval(now: number): LiveInterval | null {
    if (!this.#last) return null;
    return { ...this.#last.interval, age_ms: Math.max(0, Math.round(now - this.#last.at)) };
  }

  #takeLatency(report: Report, before: Report | undefined, path: LivePath): LiveInterval['wake_latency'] {
    if (report.wake_latency.delta.count === 0) return null;
    let bins: HistogramBin[];
    try {
      bins = histogramBins(report.wake_latency.delta.histogram);
    } catch {
      this.missed++;
      return null;
    }
    const count = bins.reduce((sum, bin) => sum + bin.count, 0);
    if (count === 0) return null;
    let sum = this.latency.get(path);
    if (!sum) {
      sum = { buckets: new Array(latencyBounds.length + 1).fill(0), count: 0, sum: 0 };
      this.latency.set(path, sum);
    }
    addToBuckets(sum.buckets, bins);
    sum.count += count;
    sum.sum += Math.max(0, report.wake_latency.total.sum - (before?.wake_latency.total.sum ?? 0));
    const max = bins.at(-1)?.value ?? 0;
    return { unit: 'ns', count, p50: percentile(bins, count / 2), p99: percentile(bins, 0.99 * count), max };
  }
}

/** The value that so many are not above. */
function percentile(bins: readonly HistogramBin[], rank: number): number {
  let below = 0;
  for (const { value, count } of bins) {
    below += count;
    if (below >= rank) return value;
  }
  return bins.at(-1)?.value ?? 0;
}

/** Values are taken as the highest of their bin, which is at most 0.1 % wide. */
function addToBuckets(buckets: number[], bins: readonly HistogramBin[]): void {
  let bound = 0;
  for (const { value, count } of bins) {
    while (bound < latencyBounds.length && value > (latencyBounds[bound] ?? 0)) bound++;
    buckets[bound] = (buckets[bound] ?? 0) + count;
  }
}
