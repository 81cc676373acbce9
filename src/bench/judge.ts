// SPDX-License-Identifier: Apache-2.0
import type { TargetResult } from '../results/schema.js';

export const roundTo = (value: number, digits = 2) => Number(value.toFixed(digits));

/** Reached only if it was measured. */
export function below(name: string, measured: number | null, limit: number): TargetResult {
  const rounded = measured === null ? null : roundTo(measured);
  return { name, limit: `below ${limit}`, measured: rounded, reached: measured !== null && measured < limit };
}

/** As below(), the limit itself included. */
export function atMost(name: string, measured: number | null, limit: number): TargetResult {
  const rounded = measured === null ? null : roundTo(measured);
  return {
    name,
    limit: `at most ${limit}`,
    measured: rounded,
    reached: measured !== null && measured <= limit,
  };
}
