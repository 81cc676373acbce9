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

/** Wake latency of one guest by path, added up from the histograms of its reports. */
export class LatencySums {
  readonly #sums = new Map<LivePath, LatencySum>();
  #unreadable = 0;

  /** @param total of the values, ns: the guest knows it exactly */
  take(path: LivePath, histogram: string, total: number): void {
    try {
      this.#read(path, histogram, total);
    } catch {
      this.#unreadable++;
    }
  }

  get byPath(): ReadonlyMap<LivePath, LatencySum> {
    return this.#sums;
  }

  /** Histograms that were none. */
  get unreadable(): number {
    return this.#unreadable;
  }

  #read(path: LivePath, histogram: string, total: number): void {
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
