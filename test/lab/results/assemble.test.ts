// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from 'vitest';
import type { PathName, Round } from '../../../src/lab/events.js';
import { assembleResult } from '../../../src/lab/results/assemble.js';
import { renderResult } from '../../../src/results/table.js';
import { burst } from './bursts.js';

function round(path: PathName, index: number, roundTrips: number[], exits: number): Round {
  const generator = burst(roundTrips);
  const [max = 0, p50 = max] = [...roundTrips].sort((a, b) => b - a);
  const course = [{ at: 0, length: 2e9, received: roundTrips.length, rtt: { p50, p99: max, max } }];
  return { type: 'round', path, pass: 'latency', index, generator, course, kvm: { exits } };
}

const description = {
  made: '2026-01-01T00:00:00.000Z',
  clock: 'instruction' as const,
  retries: 1,
  failed_attempts: [{ why: 'the emulator died', folder: 'attempt-1' }],
  traffic: {
    pattern: 'constant',
    packets: 4,
    rounds: 2,
    interval_us: 350,
    idle_threshold_us: 300,
    handback_idle_threshold_us: 0,
    seed: 1,
  },
  platform: {},
  repeat: 'npm start',
};

const result = assembleResult(
  [
    round('poll', 0, [40_000, 42_000], 0),
    round('poll', 1, [41_000, 43_000], 0),
    round('injected', 0, [60_000, 62_000], 4),
    round('injected', 1, [61_000, 81_000], 4),
    round('vmcall', 0, [45_000, 46_000], 2),
    round('vmcall', 1, [46_000, 47_000], 2),
    round('native-interrupt', 0, [50_000, 52_000, 51_000, 53_000], 0),
  ],
  description,
);
const path = (name: string) => result.paths.find((entry) => entry.name === name);

describe('result of a run', () => {
  test('adds rounds up, with exact minimum, average and maximum', () => {
    expect(path('injected')).toMatchObject({ sent: 4, received: 4, postponed: 2, exits_per_packet: 2 });
    expect(path('injected')?.latency_ns).toMatchObject({ min: 60_000, avg: 66_000, max: 81_000 });
  });

  test('gives what a path adds to polling', () => {
    expect(path('vmcall')?.added_ns?.avg).toBe(46_000 - 41_500);
    expect(path('poll')?.added_ns).toMatchObject({ min: 0, p50: 0, max: 0 });
  });

  test('lines the bursts up in time, each marked as a switch', () => {
    expect(result.timeline?.points.map(({ path, at_s }) => `${path} ${at_s}`)).toEqual([
      ...['poll 0', 'poll 2', 'injected 4', 'injected 6', 'vmcall 8', 'vmcall 10', 'native-interrupt 12'],
    ]);
    expect(result.timeline?.marks.map(({ at_s, text }) => `${at_s} ${text}`)).toContain('8 in-VM, VM call');
  });

  test('tells the tuning that was in force, where it was recorded', () => {
    const settings = { 'vcpu-pin dpdk/vcpu/1': '1' };
    const rounds = [round('poll', 0, [40_000], 0)];
    expect(assembleResult([...rounds, { type: 'tuning', settings }], description).tuning).toEqual(settings);
    expect(assembleResult(rounds, description).tuning).toBeUndefined();
  });

  test('judges a target it has no measurement for as not reached', () => {
    const reached = Object.fromEntries(result.targets.map(({ name, reached }) => [name, reached]));
    expect(reached['packets lost on any path']).toBe(true);
    expect(reached["VM call's p99 / injected's minimum"]).toBe(true);
    expect(reached['exits per packet, VM call']).toBe(true);
    expect(reached['CPU handed back, VM call']).toBe(false);
    expect(reached["l3fwd-power's p50 / injected's p50"]).toBe(false);
  });

  test('prints the deck beside, never among, our figures, and the attempts that failed', () => {
    const text = renderResult(result);
    expect(text).toMatch(/in-VM, VM call\s+45\.00\s+46\.00\s+47\.00\s+9 \/ 20 \/ 35 {2}\(in-VM, after\)/);
    expect(text).toContain('Xeon E5-2699 v3');
    expect(text).toMatch(/NOT REACHED {2}CPU handed back, VM call: not measured/);
    expect(text).toContain('1 attempt(s) failed before: the emulator died');
  });

  test('a burst that lost everything has no latency, and does not break the result', () => {
    const nothing: Round = {
      ...round('poll', 0, [1], 0),
      generator: { ...burst([1]), received: 0, lost: 1, latency_ns: null },
    };
    expect(assembleResult([nothing], description).paths[0]).toMatchObject({ lost: 1, received: 0 });
  });
});
