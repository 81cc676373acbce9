// SPDX-License-Identifier: Apache-2.0
import { beforeAll, describe, expect, test } from 'vitest';
import type { LabEvent } from '../../../src/lab/events.js';
import { type Artifacts, buildNegativeControl, withSelftests } from '../../../src/setup/artifacts.js';
import { prepareLab } from '../../../src/setup/prepare.js';
import { stderrProgress } from '../../../src/support/progress.js';
import { casesOf, expectGoodEnd, figure, programsOf, runSelftests as run } from './kernel-selftests.js';
import { cases, races, skipped } from './selftest-cases.js';

const minutes = 60_000;
const progress = stderrProgress();
const rings = 1_000_000;
const operations = 100_000;
const fuzzSeed = 1;

describe('kernel selftests of the series', () => {
  let artifacts: Artifacts;
  let events: LabEvent[];
  const find = (program: string, name: string) =>
    casesOf(events).find((event) => event.program === program && event.name === name);

  beforeAll(async () => {
    artifacts = await withSelftests(await prepareLab(progress, true), progress);
    events = await run(artifacts, progress, {
      vcpu_yield_test: [],
      vcpu_yield_race_test: ['-n', String(rings)],
      vcpu_yield_fuzz_test: ['-n', String(operations), '-s', String(fuzzSeed)],
    });
  }, 40 * minutes);

  test('ended well, whole, and left nothing behind in the kernel', () => {
    expect(programsOf(events)).toHaveLength(3);
    expectGoodEnd(events);
  });

  test('skipped nothing but what this CPU cannot do', () => {
    const skips = casesOf(events).filter(({ outcome }) => outcome === 'skip');
    expect(skips.map(({ name }) => name)).toEqual(skipped);
  });

  test('failed nowhere', () => {
    const failed = casesOf(events).filter(({ outcome }) => outcome === 'fail');
    expect(failed.map(({ name, notes }) => `${name}: ${notes.join('; ')}`)).toEqual([]);
  });

  test.each(Object.entries(cases))('%s', (_what, names) => {
    for (const name of names)
      expect(find('vcpu_yield_test', `vcpu_yield.${name}`)?.outcome, name).toBe('pass');
  });

  test.each(Object.entries(races))('race: %s', (_what, names) => {
    for (const name of names) expect(find('vcpu_yield_race_test', name)?.outcome, name).toBe('pass');
  });

  test(`lost none of ${rings} rings by eventfd, and hit the window`, () => {
    const single = find('vcpu_yield_race_test', 'eventfd_single');
    const bursts = find('vcpu_yield_race_test', 'eventfd_bursts');
    expect(figure(single, 'rings') + figure(bursts, 'rings')).toBeGreaterThanOrEqual(rings);
    for (const event of [single, bursts]) {
      expect(figure(event, 'lost'), event?.name).toBe(0);
      expect(figure(event, 'taken'), event?.name).toBe(figure(event, 'latched'));
      expect(figure(event, 'at_once'), event?.name).toBeGreaterThan(0);
    }
    expect(figure(single, 'window')).toBeGreaterThan(0);
  });

  test(`went through ${operations} random operations`, () => {
    const event = find('vcpu_yield_fuzz_test', 'operations');
    expect(figure(event, 'operations')).toBe(operations);
    expect(figure(event, 'yields')).toBeGreaterThan(0);
    expect(figure(event, 'interrupted')).toBeGreaterThan(0);
  });

  test('lose wake-ups if the latch is taken away', { timeout: 20 * minutes }, async () => {
    const broken = await run(await buildNegativeControl(artifacts, progress), progress, {
      vcpu_yield_race_test: ['-n', '20000', '-t', 'eventfd_single', '-t', 'eventfd_bursts'],
    });
    for (const name of ['eventfd_single', 'eventfd_bursts']) {
      const event = casesOf(broken).find((found) => found.name === name);
      expect(event?.outcome, name).toBe('fail');
      expect(figure(event, 'lost'), name).toBeGreaterThan(0);
    }
  });
});
