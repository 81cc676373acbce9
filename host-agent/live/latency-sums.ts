// SPDX-License-Identifier: Apache-2.0
import { type HistogramBins, readHistogramBins } from '../../src/protocol/histogram.js';
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
 * So many histograms wait to be read together, unless somebody wants to know before. With 50 guests five together took
 * 3.8 ms a second instead of 6.2, by a profile; with 1,000 guests each that waits is 1 MB of memory.
 */
const unreadMost = 3;

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
    const bins = readHistogramBins(histogram);
    if (bins.length === 0) return;
    let sum = this.#sums.get(path);
    if (!sum) {
      sum = { buckets: emptyBuckets(), count: 0, sum: 0 };
      this.#sums.set(path, sum);
    }
    sum.sum += total;
    sum.count += addTo(sum.buckets, bins);
  }
}

/** Values are taken as the highest of their bin, which is at most 0.1 % wide. @returns how many there are */
function addTo(buckets: number[], { length, values, counts }: HistogramBins): number {
  let total = 0;
  let at = 0;
  for (let bucket = 0; bucket < buckets.length; bucket++) {
    const bound = latencyBounds[bucket] ?? Number.POSITIVE_INFINITY;
    let count = 0;
    while (at < length && (values[at] as number) <= bound) count += counts[at++] as number;
    buckets[bucket] = (buckets[bucket] as number) + count;
    total += count;
  }
  return total;
}

const emptyBuckets = () => new Array<number>(latencyBounds.length + 1).fill(0);
