// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from 'vitest';
import {
  caseOf,
  casesOf,
  expectGoodEnd,
  expectLost,
  expectPassed,
  failuresOf,
  figure,
  type Program,
  type ProgramRun,
  sum,
  turnsOf,
} from './kernel-selftests.js';
import { cases, races, skipped } from './selftest-cases.js';

const rings = 1_000_000;
const eventfd = ['eventfd_single', 'eventfd_bursts'] as const;
/** Fail where their window was not hit, too. */
const needTheirs = ['timeouts', 'ringer_preempted'];

/** For the host with the series. */
export const yieldPrograms: readonly Program[] = [
  { program: 'vcpu_yield_test', words: [] },
  { program: 'vcpu_yield_race_test', words: ['-n', String(rings)], windows: [eventfd[0], ...needTheirs] },
];
/** For the one that loses wake-ups. */
export const yieldRacesWithoutLatch: Program = {
  program: 'vcpu_yield_race_test',
  words: ['-n', '20000', ...eventfd.flatMap((race) => ['-t', race])],
  windows: eventfd,
};

/** What the series promises of a yield. */
export function testYields(series: () => readonly ProgramRun[]): void {
  describe('kernel selftests of the series', () => {
    const find = (name: string) => caseOf(series(), name);

    test('ended well, whole, and left nothing behind in the kernel', () => {
      expect(series()).toHaveLength(2);
      expectGoodEnd(series());
    });

    test('skipped nothing but what this CPU cannot do', () => {
      const skips = casesOf(series()).filter(({ outcome }) => outcome === 'skip');
      expect(skips.map(({ name }) => name)).toEqual(skipped);
    });

    test('failed nowhere', () => {
      expect(failuresOf(series())).toEqual([]);
    });

    test.each(Object.entries(cases))('%s', (_what, names) => {
      for (const name of names) expect(find(`vcpu_yield.${name}`)?.outcome, name).toBe('pass');
    });

    test.each(Object.entries(races))('race: %s', (_what, names) => {
      for (const name of names) expectPassed(series(), name);
    });

    test(`lost none of ${rings} rings by eventfd, and hit the window`, () => {
      const [single = [], bursts = []] = eventfd.map((name) => turnsOf(series(), name));
      expect(sum(single, 'rings') + sum(bursts, 'rings')).toBeGreaterThanOrEqual(rings);
      for (const event of [...single, ...bursts]) {
        expect(figure(event, 'lost'), event.name).toBe(0);
        expect(figure(event, 'taken'), event.name).toBe(figure(event, 'latched'));
      }
      for (const turns of [single, bursts]) expect(sum(turns, 'at_once')).toBeGreaterThan(0);
      expect(sum(single, 'window')).toBeGreaterThan(0);
    });
  });
}

export function testYieldsWithoutLatch(withoutLatch: () => readonly ProgramRun[]): void {
  describe('kernel selftests of the series', () => {
    test.each(eventfd)('%s loses wake-ups if the latch is taken away', (name) => {
      expectLost(withoutLatch(), name);
    });
  });
}
