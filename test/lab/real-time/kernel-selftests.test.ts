// SPDX-License-Identifier: Apache-2.0
import { expect, test } from 'vitest';
import type { TestCaseEvent, TestProgramEvent } from '../../../src/lab/events.js';
import { expectGoodEnd, expectPassed, failuresOf, missedWindow } from './kernel-selftests.js';

const program = 'vcpu_yield_race_test';
const name = 'vfio_hard_single';

/** As the program prints it (kernel-patches: vcpu_yield_race_test.c). */
const race = (outcome: TestCaseEvent['outcome'], lost: number, ...further: string[]): TestCaseEvent => ({
  type: 'test-case',
  program,
  name,
  outcome,
  notes: [`${name}: rings=1250 latched=1249 taken=1249 yields=1200 lost=${lost}`, ...further],
});
const missed = race('fail', 0, `${name}: the window was not hit`);
const lossy = race('fail', 1, `${name}: the window was not hit`);
const mixedUp = race(
  'fail',
  0,
  `${name}: not each doorbell came back just once`,
  `${name}: the window was not hit`,
);
const passed = race('pass', 0);

const end = (ended: number): TestProgramEvent => ({
  type: 'test-program',
  program,
  arguments: [],
  ended,
  incomplete: [],
  stderr: [],
  vmsLeft: 0,
  moduleUsesLeft: 0,
  slabGrowth: 0,
  kernelLog: [],
});

test('a race that rang in no window, on a busy machine, is one to run again, and no other failure is', () => {
  expect(missedWindow(missed)).toBe(true);
  for (const turn of [lossy, mixedUp, passed]) expect(missedWindow(turn)).toBe(false);
});

test('passes by the turn in which its window was hit', () => {
  const runs = [
    {
      turns: [
        { end: end(1), cases: [missed] },
        { end: end(0), cases: [passed] },
      ],
    },
  ];
  expectGoodEnd(runs);
  expectPassed(runs, name);
  expect(failuresOf(runs)).toEqual([]);
});

test('fails where no turn hit it, or one lost something', () => {
  expect(() => expectPassed([{ turns: [{ end: end(1), cases: [missed] }] }], name)).toThrow();
  const runs = [{ turns: [lossy, passed].map((turn) => ({ end: end(0), cases: [turn] })) }];
  expect(() => expectPassed(runs, name)).toThrow();
  expect(failuresOf(runs)).toHaveLength(1);
  expect(() => expectGoodEnd([{ turns: [{ end: end(1), cases: [lossy] }] }])).toThrow();
});
