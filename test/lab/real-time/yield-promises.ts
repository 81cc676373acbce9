// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from 'vitest';
import { caseOf, casesOf, expectGoodEnd, figure, type Program, type ProgramRun } from './kernel-selftests.js';
import { cases, races, skipped } from './selftest-cases.js';

const rings = 1_000_000;
const operations = 100_000;
const fuzzSeed = 1;
const eventfd = ['eventfd_single', 'eventfd_bursts'] as const;

/** For the host with the series. */
export const yieldPrograms: readonly Program[] = [
  { program: 'vcpu_yield_test', words: [] },
  { program: 'vcpu_yield_race_test', words: ['-n', String(rings)] },
  { program: 'vcpu_yield_fuzz_test', words: ['-n', String(operations), '-s', String(fuzzSeed)] },
];
/** For the one that loses wake-ups. */
export const yieldRacesWithoutLatch: Program = {
  program: 'vcpu_yield_race_test',
  words: ['-n', '20000', ...eventfd.flatMap((race) => ['-t', race])],
};

/** What the series promises of a yield. */
export function testYields(
  series: () => readonly ProgramRun[],
  withoutLatch: () => readonly ProgramRun[],
): void {
  describe('kernel selftests of the series', () => {
    const find = (name: string) => caseOf(series(), name);

    test('ended well, whole, and left nothing behind in the kernel', () => {
      expect(series()).toHaveLength(3);
      expectGoodEnd(series());
    });

    test('skipped nothing but what this CPU cannot do', () => {
      const skips = casesOf(series()).filter(({ outcome }) => outcome === 'skip');
      expect(skips.map(({ name }) => name)).toEqual(skipped);
    });

    test('failed nowhere', () => {
      const failed = casesOf(series()).filter(({ outcome }) => outcome === 'fail');
      expect(failed.map(({ name, notes }) => `${name}: ${notes.join('; ')}`)).toEqual([]);
    });

    test.each(Object.entries(cases))('%s', (_what, names) => {
      for (const name of names) expect(find(`vcpu_yield.${name}`)?.outcome, name).toBe('pass');
    });

    test.each(Object.entries(races))('race: %s', (_what, names) => {
      for (const name of names) expect(find(name)?.outcome, name).toBe('pass');
    });

    test(`lost none of ${rings} rings by eventfd, and hit the window`, () => {
      const [single, bursts] = eventfd.map(find);
      expect(figure(single, 'rings') + figure(bursts, 'rings')).toBeGreaterThanOrEqual(rings);
      for (const event of [single, bursts]) {
        expect(figure(event, 'lost'), event?.name).toBe(0);
        expect(figure(event, 'taken'), event?.name).toBe(figure(event, 'latched'));
        expect(figure(event, 'at_once'), event?.name).toBeGreaterThan(0);
      }
      expect(figure(single, 'window')).toBeGreaterThan(0);
    });

    test(`went through ${operations} random operations`, () => {
      const event = find('operations');
      expect(figure(event, 'operations')).toBe(operations);
      expect(figure(event, 'yields')).toBeGreaterThan(0);
      expect(figure(event, 'interrupted')).toBeGreaterThan(0);
    });

    test.each(eventfd)('%s loses wake-ups if the latch is taken away', (name) => {
      const event = caseOf(withoutLatch(), name);
      expect(event?.outcome).toBe('fail');
      expect(figure(event, 'lost')).toBeGreaterThan(0);
    });
  });
}
