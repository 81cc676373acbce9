// SPDX-License-Identifier: Apache-2.0
import { expect, test } from 'vitest';
import type { LabEvent } from '../../../../src/lab/events.js';
import { assembleDensity } from '../../../../src/lab/results/tables/density.js';
import { renderDensity } from '../../../../src/lab/results/tables/density-text.js';
import type { DensityPath } from '../../../../src/lab/table-events.js';
import { burst } from '../bursts.js';
import { header } from './header.js';

function density(path: DensityPath, guests: number, idle: number, extra = {}): LabEvent {
  const watched = { idle_ns: idle, wall_ns: 1000 };
  const generator = { ...burst([20_000, 30_000]), watched, ...extra };
  return { type: 'density', path, guests, arrival: 'in-turn', generator };
}

const table = assembleDensity(
  [
    density('vmcall', 1, 960),
    density('poll', 1, 0),
    density('vmcall', 2, 930),
    density('poll', 2, 0, { late: 1 }),
    density('injected', 2, 800, { sent: 3, lost: 1 }),
  ],
  header,
);

test('takes the idle time as what is left of the CPU, and puts the paths in one order', () => {
  expect(table.rows.map(({ path, guests, cpu_left }) => [path, guests, cpu_left])).toEqual([
    ['poll', 1, 0],
    ['poll', 2, 0],
    ['injected', 2, 0.8],
    ['vmcall', 1, 0.96],
    ['vmcall', 2, 0.93],
  ]);
});

test('calls a path collapsed that loses packets or has one in a hundred late', () => {
  expect(table.rows.filter(({ collapsed }) => collapsed).map(({ path, guests }) => [path, guests])).toEqual([
    ['poll', 2],
    ['injected', 2],
  ]);
  const text = renderDensity(table);
  expect(text).toContain('polling: collapses at 2 guests (0 lost and 1 late of 2');
  expect(text).toContain('injected interrupts: collapses at 2 guests (1 lost');
  expect(text).toMatch(/VM call: holds with 2 guest\(s\) .* enough for 28 guests, by what each takes/);
});
