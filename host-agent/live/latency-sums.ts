// SPDX-License-Identifier: Apache-2.0
import { readHistogramBins } from '../../src/protocol/histogram.js';
import type { LivePath } from '../../src/protocol/live.js';
import { latencyBounds } from './latency-bounds.js';

/** Wake latency of one path since the agent began. */
export interface LatencySum {
  /** For each bound of `latencyBounds`, how many were above the bound before and not above it; then those above all. */
  readonly buckets: number[];
  count: number;
  /** ns */
  sum: number;
}

/** A histogram as it came, and what its values are in sum, ns. */
interface Unread {
  path: LivePath;
  histogram: string;
  sum: number;
}

/**
 * So many histograms wait to be read together, unless somebody wants to know before: the second one after another takes
 * a third of the first one's time, for the code and the tables are in the CPU's caches then. Each is about 1 KiB.
 */
const unreadMost = 5;

/** Wake latency of one guest by path, added up from the histograms of its reports. */
export class LatencySums {
  readonly #sums = new Map<LivePath, LatencySum>();
  readonly #unread: Unread[] = [];
  #unreadable = 0;

  /** @param sum of the values, ns: the guest knows it exactly */
  take(path: LivePath, histogram: string, sum: number): void {
    this.#unread.push({ path, histogram, sum });
    if (this.#unread.length >= unreadMost) this.#readAll();
  }

  get byPath(): ReadonlyMap<LivePath, LatencySum> {
    this.#readAll();
    return this.#sums;
  }

  /** Histograms that were none. */
  get unreadable(): number {
    this.#readAll();
    return this.#unreadable;
  }

  #readAll(): void {
    for (const unread of this.#unread) {
      try {
        this.#read(unread);
      } catch {
        this.#unreadable++;
      }
    }
    this.#unread.length = 0;
  }

  #read({ path, histogram, sum: total }: Unread): void {
    const { length, values, counts } = readHistogramBins(histogram);
    if (length === 0) return;
    let sum = this.#sums.get(path);
    if (!sum) {
      sum = { buckets: emptyBuckets(), count: 0, sum: 0 };
      this.#sums.set(path, sum);
    }
    sum.sum += total;
    // Values are taken as the highest of their bin, which is at most 0.1 % wide.
    let bound = 0;
    for (let at = 0; at < length; at++) {
      const value = values[at] ?? 0;
      const count = counts[at] ?? 0;
      while (bound < latencyBounds.length && value > (latencyBounds[bound] ?? 0)) bound++;
      sum.buckets[bound] = (sum.buckets[bound] ?? 0) + count;
      sum.count += count;
    }
  }
}

const emptyBuckets = () => new Array<number>(latencyBounds.length + 1).fill(0);
