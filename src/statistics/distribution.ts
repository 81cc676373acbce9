// SPDX-License-Identifier: Apache-2.0

/** Samples that share a value, as far as the histogram's resolution goes. */
export interface Bin {
  /** What the bin stands for: its upper end, held within the exact minimum and maximum. */
  value: number;
  count: number;
  /** How far apart two values in the bin can be. */
  width: number;
}

/** A distribution in ascending bins; no bin is empty. */
export interface Distribution {
  readonly bins: readonly Bin[];
  readonly total: number;
}

/** Bins from values counted one by one. */
export function fromValues(values: readonly number[]): Distribution {
  const counts = new Map<number, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  const bins = [...counts].sort(([a], [b]) => a - b).map(([value, count]) => ({ value, count, width: 0 }));
  return { bins, total: values.length };
}

/** The samples of all of them in one distribution. */
export function pool(distributions: readonly Distribution[]): Distribution {
  const merged = new Map<number, Bin>();
  for (const { bins } of distributions)
    for (const bin of bins) {
      const known = merged.get(bin.value);
      if (known) {
        known.count += bin.count;
        known.width = Math.max(known.width, bin.width);
      } else merged.set(bin.value, { ...bin });
    }
  const total = distributions.reduce((sum, distribution) => sum + distribution.total, 0);
  return { bins: [...merged.values()].sort((a, b) => a.value - b.value), total };
}

/**
 * The rank (from 1) of the sample at or below which `share` of `total` samples lie: the nearest-rank quantile, which
 * HDR histograms use too. `share` from 0 to 1 (1 is the maximum).
 */
export function rankOf(share: number, total: number): number {
  // A share like 0.999 is a little more than itself in binary: without the allowance 999 of 1000 becomes 1000.
  return Math.max(1, Math.ceil(share * total - 1e-9 * total));
}

/** The bin of the sample at `rankOf(share)`. Undefined for a distribution without samples. */
export function quantileBin({ bins, total }: Distribution, share: number): Bin | undefined {
  const rank = rankOf(share, total);
  let seen = 0;
  for (const bin of bins) {
    seen += bin.count;
    if (seen >= rank) return bin;
  }
  return bins.at(-1);
}
