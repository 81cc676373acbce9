// SPDX-License-Identifier: Apache-2.0
import { type HistogramBins, readHistogramBins } from '../../src/protocol/histogram.js';
import { type LiveInterval, type LivePath, wakeReasons } from '../../src/protocol/live.js';
import type { Report } from '../../src/protocol/messages.js';
import { type LatencySum, LatencySums } from './latency-sums.js';

/** The counters' names for reasons; made once, as a name made for a look-up is what makes it slow. */
const wakeCounters = wakeReasons.map((reason) => [reason, `wakes_${reason}`] as const);

/** What of a report's counters is kept; a guest may name others as it likes. */
const kept: readonly string[] = [
  ...['rx', 'tx', 'tx_dropped', 'waits', 'waits_immediate', 'waits_without_packet', 'waited_us'],
  ...['policy_switches', 'fallbacks', 'ring_clock_errors', ...wakeCounters.map(([, counter]) => counter)],
];

/** What one guest reported: sums since the agent began, and the last interval. Pure: no clock and no session. */
export class GuestFigures {
  /** The dataplane's counters, added up over its restarts. */
  readonly counters = new Map<string, number>();
  readonly #latency = new LatencySums();
  reports = 0;
  /** Reports that were sent and did not come. */
  #absent = 0;
  #before: Report | undefined;
  #last: { interval: Omit<LiveInterval, 'age_ms' | 'wake_latency'>; at: number } | undefined;
  /** Of the last interval: its histogram, until somebody wants to know what is in it. */
  #lastLatency: { histogram: string } | { read: LiveInterval['wake_latency'] } = { read: null };

  /** Wake latency since the agent began. */
  get latency(): ReadonlyMap<LivePath, LatencySum> {
    return this.#latency.byPath;
  }

  /** Reports that were sent and did not come, or could not be used. */
  get missed(): number {
    return this.#absent + this.#latency.unreadable;
  }

  /** When the last interval ended, on the clock of `take`; undefined before the first report. */
  get at(): number | undefined {
    return this.#last?.at;
  }

  /** @param now when it came, ms of a clock that never goes back */
  take(report: Report, now: number): void {
    const before = this.#before;
    const isFirst = before?.measurement !== report.measurement;
    this.#absent += Math.max(0, report.sequence - (isFirst ? 0 : before.sequence) - 1);
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

  /** The last interval, as it is reported at `now`. */
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

  #takeLatency({ wake_latency }: Report, before: Report | undefined, path: LivePath): void {
    const { delta, total } = wake_latency;
    this.#lastLatency = delta.count === 0 ? { read: null } : { histogram: delta.histogram };
    if (delta.count === 0) return;
    const sum = Math.max(0, total.sum - (before?.wake_latency.total.sum ?? 0));
    this.#latency.take(path, delta.histogram, sum);
  }
}

/** Null if there is nothing in the histogram, or it is none. */
function readLatency(histogram: string): LiveInterval['wake_latency'] {
  let bins: HistogramBins;
  try {
    bins = readHistogramBins(histogram);
  } catch {
    return null;
  }
  const { length, values } = bins;
  if (length === 0) return null;
  const count = notAbove(bins, Number.POSITIVE_INFINITY).count;
  const [p50, p99] = [notAbove(bins, count / 2).value, notAbove(bins, 0.99 * count).value];
  return { unit: 'ns', count, p50, p99, max: values[length - 1] ?? 0 };
}

/** The value that so many are not above, and how many it is; all of them if there are not so many. */
function notAbove({ length, values, counts }: HistogramBins, rank: number): { value: number; count: number } {
  let count = 0;
  let at = 0;
  while (at < length && count < rank) count += counts[at++] as number;
  return { value: values[at - 1] as number, count };
}
