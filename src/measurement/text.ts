// SPDX-License-Identifier: Apache-2.0
import { energyLines } from '../results/energy.js';
import type { Result } from '../results/schema.js';
import { describeClock, describeQuantity, partialLines } from '../results/words.js';

const columns = ['min', 'avg', 'max', 'p50', 'p99', 'p999'] as const;

/** What a run in a live guest measured, for people. */
export function runText({ clock, quantity, partial, paths, notes, energy }: Result): string {
  const rows = [
    [`${describeQuantity(quantity)}, us`, ...columns, 'wakes'],
    ...paths.map(({ title, latency_ns: latency, received }) => [
      title,
      ...columns.map((column) => (latency[column] / 1000).toFixed(1)),
      String(received),
    ]),
  ];
  const widths = rows[0]?.map((_name, at) => Math.max(...rows.map((row) => row[at]?.length ?? 0))) ?? [];
  const table = rows.map((row) =>
    row
      .map((word, at) => (at === 0 ? word.padEnd(widths[at] ?? 0) : word.padStart(widths[at] ?? 0)))
      .join('  '),
  );
  return `${[...partialLines({ partial }), ...table, '', ...(energy ? [...energyLines(energy), ''] : []), describeClock(clock), ...notes].join('\n')}\n`;
}
