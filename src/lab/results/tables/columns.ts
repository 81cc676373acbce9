// SPDX-License-Identifier: Apache-2.0
import { align } from '../../../results/table.js';

/** A time in ns as us with two places; a dash where there is none. */
export const usColumn = (ns: number | null | undefined) =>
  typeof ns === 'number' ? (ns / 1000).toFixed(2) : '-';

/** A share of 1 as a percentage with one place. */
export const percent = (share: number | null) => (share === null ? '-' : `${(share * 100).toFixed(1)} %`);

/** A table with a line for each row; columns by their heads, in their order. */
export function columnsOf<Row>(
  rows: readonly Row[],
  columns: Readonly<Record<string, (row: Row) => string>>,
): string {
  const cells = Object.values(columns);
  return align([Object.keys(columns), ...rows.map((row) => cells.map((cell) => cell(row)))]);
}
