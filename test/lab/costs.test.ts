// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from 'vitest';
import { deviceToProgram, summarise } from '../../src/lab/costs/summary.js';
import type { LabEvent } from '../../src/lab/events.js';
import { intoGuest, onCpu, passages, rung } from '../../src/lab/host/stages.js';

const path = (name: string, wake: number[], more: object = {}): LabEvent => ({
  type: 'path-cost',
  cost: { name, wake, ...more },
});
const run = (extra: number): LabEvent[] => [
  path('hypercall', [100 + extra, 101 + extra]),
  path('halt-kick', [200, 201, 250], { back: [400, 401, 402] }),
  path('halt-interrupt', [300, 300, 900], { back: [500 + extra, 500 + extra] }),
  path('interrupt', [600]),
];

describe('costs of untouched paths', () => {
  test('are the differences of minimum and median, each path by itself', () => {
    const { untouched } = summarise(run(0), run(11));
    expect(untouched.map(({ added }) => added)).toEqual([
      { min: 11, median: 11 },
      { min: 0, median: 0 },
      { min: 0, median: 0 },
      { min: 0, median: 0 },
      { min: 11, median: 11 },
      { min: 0, median: 0 },
    ]);
  });

  test('of a path that was not measured are an error', () => {
    expect(() => summarise(run(0), run(0).slice(1))).toThrow('hypercall');
  });

  test('leave out what Debian has not', () => {
    const { wakes } = summarise(run(0), [...run(0), path('doorbell', [50], { ring: [10] })]);
    expect(wakes.at(-1)).toEqual({
      path: 'doorbell',
      unpatched: null,
      patched: { min: 50, median: 50 },
      ring: { min: 10, median: 10 },
    });
  });
});

test('parts of the way from device to program add up to the whole', () => {
  const way = deviceToProgram([
    path('device-doorbell', [4000], { ring: [600, 590, 580] }),
    { type: 'program-wake', from: 'task', ticks: 3900 },
    { type: 'program-wake', from: 'idle', ticks: 3500 },
    { type: 'program-wake', from: 'task', ticks: 4900, part: { name: 'to-cpu', ticks: 2700 } },
    { type: 'program-wake', from: 'task', ticks: 4500, part: { name: 'to-guest', ticks: 1500 } },
  ]);
  expect(way.stages.map(({ median }) => median)).toEqual([590, 2200, 1200, 500]);
  expect(way.total).toBe(4490);
  expect(way.ring_to_program_from_idle).toBe(3500);
});

test('a passage is one that touched every station in order', () => {
  const trace = `# tracer: nop
           <...>-12      [001] d..1.  1000: kvm_doorbell: vcpu 1 doorbell 1, waits
           <...>-0       [000] d..2.  1100: sched_switch: prev_comm=a prev_pid=0 prev_prio=120 prev_state=R ==> next_comm=b next_pid=77 next_prio=89
           <...>-0       [001] d..2.  1200: sched_switch: prev_comm=a prev_pid=0 prev_prio=120 prev_state=R ==> next_comm=b next_pid=99 next_prio=89
           <...>-99      [001] d..2.  1250: kvm_entry: vcpu 0, rip 0x1
           <...>-99      [001] d..2.  1300: kvm_entry: vcpu 1, rip 0x1
           <...>-99      [001] d..2.  2000: kvm_entry: vcpu 1, rip 0x1
           <...>-12      [001] d..1.  3000: kvm_doorbell: vcpu 1 doorbell 1
           <...>-99      [001] d..2.  3100: kvm_entry: vcpu 1, rip 0x1
`;
  expect(passages(trace, [rung, onCpu(99), intoGuest(1)])).toEqual([[1000, 1200, 1300]]);
});
