// SPDX-License-Identifier: Apache-2.0
import { histogramBins, readHistogramBins } from '../../src/protocol/histogram.js';
import { type LiveInterval, type LivePath, wakeReasons } from '../../src/protocol/live.js';
import type { Report } from '../../src/protocol/messages.js';
import { latencyBounds } from './latency-bounds.js';

/** The counters' names for reasons; made once, as a name made for a look-up is what makes it slow. */
const wakeCounters = wakeReasons.map((reason) => [reason, `wakes_${reason}`] as const);

/** What of a report's counters is kept; a guest may name others as it likes. */
const kept: readonly string[] = [
  ...['rx', 'tx', 'tx_dropped', 'waits', 'waits_immediate', 'waits_without_packet', 'waited_us'],
  ...['policy_switches', 'fallbacks', 'ring_clock_errors', ...wakeCounters.map(([, counter]) => counter)],
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
  #last: { interval: Omit<LiveInterval, 'age_ms' | 'wake_latency'>; at: number } | undefined;
  /** Of the last interval: its histogram, until somebody wants to know what is in it. */
  #lastLatency: { histogram: string } | { read: LiveInterval['wake_latency'] } = { read: null };

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
    this.#takeLatency(report, isFirst ? undefined : before, path);
    const elapsed = report.elapsed_us - (isFirst ? 0 : before.elapsed_us);
    const wakes = Object.fromEntries(wakeCounters.map(([reason, counter]) => [reason, since(counter)]));
    this.#last = {
      at: now,
      interval: {
        path,
        elapsed_us: Math.max(1, elapsed),
        rx: since('rx'),
        tx: since('tx'),
        wakes: wakes as LiveInterval['wakes'],
        waited_us: since('waited_us'),
      },
    };
  }

  /** The last interval, as it is told at `now`. */
  interval(now: number): LiveInterval | null {
    if (!this.#last) return null;
    if ('histogram' in this.#lastLatency)
      this.#lastLatency = { read: readLatency(this.#lastLatency.histogram) };
    return {
      ...this.#last.interval,
      age_ms: Math.max(0, Math.round(now - this.#last.at)),
      wake_latency: this.#lastLatency.read,
    };
  }

  #takeLatency(report: Report, before: Report | undefined, path: LivePath): void {
    this.#lastLatency = { read: null };
    const { delta, total } = report.wake_latency;
    if (delta.count === 0) return;
    const buckets = emptyBuckets();
    let count = 0;
    try {
      count = addToBuckets(buckets, delta.histogram);
    } catch {
      this.missed++;
    }
    if (count === 0) return;
    this.#lastLatency = { histogram: delta.histogram };
    let sum = this.latency.get(path);
    if (!sum) {
      sum = { buckets: emptyBuckets(), count: 0, sum: 0 };
      this.latency.set(path, sum);
    }
    for (let at = 0; at < buckets.length; at++) sum.buckets[at] = (sum.buckets[at] ?? 0) + (buckets[at] ?? 0);
    sum.count += count;
    sum.sum += Math.max(0, total.sum - (before?.wake_latency.total.sum ?? 0));
  }
}

/** Of a histogram that was read before. */
function readLatency(histogram: string): NonNullable<LiveInterval['wake_latency']> {
  const bins = histogramBins(histogram);
  const count = bins.reduce((sum, bin) => sum + bin.count, 0);
  /** The value that so many are not above. */
  const notAbove = (rank: number) => {
    let below = 0;
    for (const bin of bins) {
      below += bin.count;
      if (below >= rank) return bin.value;
    }
    return bins.at(-1)?.value ?? 0;
  };
  return { unit: 'ns', count, p50: notAbove(count / 2), p99: notAbove(0.99 * count), max: notAbove(count) };
}

const emptyBuckets = () => new Array<number>(latencyBounds.length + 1).fill(0);

/** Values are taken as the highest of their bin, which is at most 0.1 % wide. @returns how many there are */
function addToBuckets(buckets: number[], histogram: string): number {
  const { length, values, counts } = readHistogramBins(histogram);
  let bound = 0;
  let added = 0;
  for (let at = 0; at < length; at++) {
    const [value, count] = [values[at] ?? 0, counts[at] ?? 0];
    while (bound < latencyBounds.length && value > (latencyBounds[bound] ?? 0)) bound++;
    buckets[bound] = (buckets[bound] ?? 0) + count;
    added += count;
  }
  return added;
}
