// SPDX-License-Identifier: Apache-2.0
import { beforeAll, describe, expect, test } from 'vitest';
import { type Modes, modesSchema } from '../../src/lab/results/tables/modes.js';
import type { ModeName, Sharing } from '../../src/lab/table-events.js';
import { runTable } from './run-table.js';

describe('npm run modes -- --json', () => {
  let table: Modes;
  const row = (mode: ModeName, cpu: Sharing) => {
    const found = table.rows.find((entry) => entry.mode === mode && entry.cpu === cpu);
    if (!found?.rtt_ns) throw new Error(`no latency of ${mode} on a ${cpu} CPU`);
    return { ...found, rtt_ns: found.rtt_ns };
  };

  beforeAll(async () => {
    table = modesSchema.parse(await runTable('modes', '--packets', '40', '--rounds', '1'));
  }, 1_200_000);

  test('measures each mode on both kinds of CPU and loses nothing', () => {
    expect(table.rows).toHaveLength(10);
    for (const { mode, cpu, sent, received, lost } of table.rows)
      expect({ mode, cpu, sent, received, lost }).toEqual({ mode, cpu, sent: 40, received: 40, lost: 0 });
  });

  test('gives the whole CPU to polling, and most of it to others in every other mode', () => {
    for (const mode of ['native-poll', 'poll'] as const) {
      expect(row(mode, 'dedicated').cpu_use, mode).toBeGreaterThan(0.99);
      expect(row(mode, 'shared'), mode).toMatchObject({ work_per_s: 0 });
    }
    for (const mode of ['native-interrupt', 'injected', 'vmcall'] as const) {
      expect(row(mode, 'dedicated').cpu_use, mode).toBeLessThan(0.25);
      expect(row(mode, 'shared').cpu_use, mode).toBeLessThan(0.25);
      expect(row(mode, 'shared').work_per_s, mode).toBeGreaterThan(0);
    }
  });

  test('needs less of the CPU by VM call than by injected interrupts, and is faster, shared or not', () => {
    for (const cpu of ['dedicated', 'shared'] as const) {
      expect(row('vmcall', cpu).cpu_use, cpu).toBeLessThan(row('injected', cpu).cpu_use);
      expect(row('vmcall', cpu).rtt_ns.p50, cpu).toBeLessThan(row('injected', cpu).rtt_ns.p50);
      expect(row('poll', cpu).rtt_ns.p50, cpu).toBeLessThan(row('vmcall', cpu).rtt_ns.p50);
    }
  });
});
