// SPDX-License-Identifier: Apache-2.0
import { beforeAll, describe, expect, test } from 'vitest';
import { type DensityTable, densityTableSchema } from '../../src/lab/results/tables/density.js';
import type { DensityPath } from '../../src/lab/table-events.js';
import { runTable } from './run-table.js';

describe('npm run density -- --json --guests 1,2', () => {
  let table: DensityTable;
  const row = (path: DensityPath, guests: number) => {
    const found = table.rows.find(
      (entry) => entry.path === path && entry.guests === guests && entry.arrival === 'in-turn',
    );
    if (!found?.rtt_ns) throw new Error(`no latency of ${guests} guests by ${path}`);
    return { ...found, rtt_ns: found.rtt_ns };
  };

  beforeAll(async () => {
    table = densityTableSchema.parse(await runTable('density', '--guests', '1,2', '--packets', '40'));
  }, 2_400_000);

  test('has every path with every number of guests, evenly and all at once', () => {
    expect(table.rows).toHaveLength(12);
    for (const { guests, sent } of table.rows) expect(sent).toBe(40 * guests);
  });

  test('loses nothing where the program sleeps, and leaves most of the CPU by VM call', () => {
    for (const { path, lost, late } of table.rows.filter((entry) => entry.path !== 'poll'))
      expect({ path, lost, late }).toEqual({ path, lost: 0, late: 0 });
    expect(row('vmcall', 2).cpu_left).toBeGreaterThan(row('injected', 2).cpu_left);
    expect(row('vmcall', 2).cpu_left).toBeGreaterThan(0.8);
  });

  test('serves two guests that sleep as fast as one, and two that poll far worse', () => {
    for (const path of ['injected', 'vmcall'] as const)
      expect(row(path, 2).rtt_ns.p50, path).toBeLessThan(1.1 * row(path, 1).rtt_ns.p50);
    expect(row('poll', 1).collapsed).toBe(false);
    expect(row('poll', 2).collapsed).toBe(true);
    expect(row('poll', 2).cpu_left).toBeLessThan(0.01);
  });
});
