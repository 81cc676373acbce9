// SPDX-License-Identifier: Apache-2.0
import { expect, test } from 'vitest';
import type { LabEvent } from '../../../../src/lab/events.js';
import { assembleModes } from '../../../../src/lab/results/tables/modes.js';
import { renderModes } from '../../../../src/lab/results/tables/modes-text.js';
import type { ModeName, Purpose, Sharing } from '../../../../src/lab/table-events.js';
import type { GeneratorResult } from '../../../../src/results/generator-result.js';
import { burst } from '../bursts.js';
import { header } from './header.js';

function mode(name: ModeName, cpu: Sharing, purpose: Purpose, roundTrips: number[], extra = {}): LabEvent {
  const generator: GeneratorResult = { ...burst(roundTrips), ...extra };
  return { type: 'mode', mode: name, cpu, purpose, generator };
}

const table = assembleModes(
  [
    mode('vmcall', 'dedicated', 'latency', [20_000, 30_000]),
    mode('vmcall', 'dedicated', 'latency', [22_000, 40_000]),
    mode('vmcall', 'dedicated', 'cpu', [900_000], { watched: { idle_ns: 960, wall_ns: 1000 } }),
    mode('vmcall', 'shared', 'latency', [21_000, 31_000]),
    mode('vmcall', 'shared', 'cpu', [900_000], { busy: { cpu_ns: 970, wall_ns: 1000, work: 100 } }),
    mode('poll', 'shared', 'latency', []),
    mode('poll', 'shared', 'cpu', [], { busy: { cpu_ns: 0, wall_ns: 1000, work: 0 } }),
  ],
  header,
);
const row = (name: ModeName, cpu: Sharing) =>
  table.rows.find((entry) => entry.mode === name && entry.cpu === cpu);

test('takes latency and CPU from the bursts that are for them', () => {
  expect(row('vmcall', 'dedicated')).toMatchObject({
    sent: 4,
    lost: 0,
    rtt_ns: { min: 20_000, avg: 28_000, max: 40_000 },
    work_per_s: null,
    cpu_use: expect.closeTo(0.04, 9),
  });
  expect(row('vmcall', 'shared')).toMatchObject({
    rtt_ns: { min: 21_000, max: 31_000 },
    cpu_use: expect.closeTo(0.03, 9),
    work_per_s: expect.closeTo(1e8, 0),
  });
});

test('has no latency for a mode that nothing came back from', () => {
  expect(row('poll', 'shared')).toMatchObject({ rtt_ns: null, cpu_use: 1, work_per_s: 0 });
});

test('prints a line for each mode, in the order of the slides, with what failed before', () => {
  const text = renderModes(table);
  expect(text).toMatch(/in-VM, polling +shared +- +- +-/);
  expect(text).toMatch(/in-VM, VM call +dedicated +20\.00 +28\.00 +40\.00/);
  expect(text.indexOf('in-VM, polling')).toBeLessThan(text.indexOf('in-VM, VM call'));
  expect(text).toContain('the emulator died');
});
