// SPDX-License-Identifier: Apache-2.0

/** Upper bounds of the wake latency's buckets, ns: close together where the paths differ (1 to 100 us). */
export const latencyBounds: readonly number[] = [
  1_000, 2_000, 3_000, 4_000, 5_000, 7_000, 10_000, 15_000, 20_000, 30_000, 50_000, 70_000, 100_000, 150_000,
  200_000, 500_000, 1_000_000, 2_000_000, 5_000_000, 10_000_000, 100_000_000, 1_000_000_000,
];
