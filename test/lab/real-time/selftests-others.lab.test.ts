// SPDX-License-Identifier: Apache-2.0
import { beforeAll, describe, expect, test } from 'vitest';
import { testDevices } from '../../../src/lab/machine.js';
import { type Artifacts, buildNegativeControl, withSelftests } from '../../../src/setup/artifacts.js';
import { defaultKernelSeries } from '../../../src/setup/kernel-packages.js';
import { prepareLab } from '../../../src/setup/prepare.js';
import { stderrProgress } from '../../../src/support/progress.js';
import { kernelsTested } from '../kernels.js';
import {
  caseOf,
  casesOf,
  expectGoodEnd,
  expectLost,
  figure,
  missedWindow,
  type Program,
  type ProgramRun,
  runSelftests,
  sum,
  turnsOf,
} from './kernel-selftests.js';
import { cases, races, skipped } from './selftest-cases.js';

const minutes = 60_000;
const progress = stderrProgress();
/** On each path; `npm run test:6.1` and `test:7.3` do more, of the operations too. Fewer would seldom hit the window. */
const rings = Number(process.env.VMCALL_RACE_RINGS ?? 12_000);
const operations = Number(process.env.VMCALL_FUZZ_OPERATIONS ?? 2000);
const isLong = rings >= 100_000;
/** One takes as long as all the others, however few rings are asked for; one hits its window too seldom with so few. */
const onlyLong = ['ringer_preempted', 'timeouts'];
const ringsWithoutLatch = 20_000;
const rounds = 3;
const racesOfWaiters = Object.values(races)
  .flat()
  .filter((name) => !name.startsWith('eventfd') && (isLong || !onlyLong.includes(name)));
/** Those that look for a lost doorbell one ring, or one burst, at a time. */
const paths = ['eventfd', 'vfio_threaded', 'vfio_hard'];
const racesOfPaths = paths.flatMap((path) => [`${path}_single`, `${path}_bursts`]);
const allRaces = [...racesOfPaths, ...racesOfWaiters];
const priorities = ['threaded_vcpu_below', 'threaded_vcpu_above_stalls', 'hard_vcpu_above'];

const racing = (count: number, names: readonly string[]): Program => ({
  program: 'vcpu_yield_race_test',
  words: ['-d', testDevices.edu, '-n', String(count), ...names.flatMap((name) => ['-t', name])],
});

const others = kernelsTested.filter((series) => series !== defaultKernelSeries);
test.runIf(others.length === 0)('this release has one kernel only', () => {});

/** The programs of the main kernel's series, on the other kernels with the series for those: in one L1, and less of each. */
describe.each(others)('kernel selftests of the %s series', (series) => {
  let artifacts: Artifacts;
  let runs: ProgramRun[];
  const find = (name: string) => caseOf(runs, name);

  beforeAll(
    async () => {
      artifacts = await withSelftests(await prepareLab(progress, true, series), progress);
      runs = await runSelftests(artifacts, progress, [
        { program: 'vcpu_yield_test', words: [] },
        { ...racing(rings, allRaces), windows: paths.map((path) => `${path}_single`) },
        { program: 'vcpu_yield_fuzz_test', words: ['-n', String(operations), '-s', '1'] },
        { program: 'irqfd_priority_test', words: ['-d', testDevices.edu, '-r', String(rounds)] },
      ]);
    },
    (20 + rings / 5000 + operations / 5000) * minutes,
  );

  test('ended well, whole, and left nothing behind in the kernel', () => {
    expect(runs).toHaveLength(4);
    expectGoodEnd(runs);
  });

  test('have the same cases as those of the main kernel, and all pass', () => {
    const outcomes = casesOf(runs)
      .filter((turn) => !missedWindow(turn))
      .map(({ name, outcome }) => `${outcome} ${name}`);
    const passed = [
      ...Object.values(cases)
        .flat()
        .map((name) => `vcpu_yield.${name}`),
      ...allRaces,
      ...['operations', 'open_files'],
      ...priorities,
    ];
    expect(outcomes).toEqual(expect.arrayContaining(passed.map((name) => `pass ${name}`)));
    expect(outcomes.filter((text) => text.startsWith('fail '))).toEqual([]);
    // A race that was not chosen is skipped too, and has no name.
    expect(outcomes.filter((text) => /^skip ./.test(text))).toEqual(skipped.map((name) => `skip ${name}`));
  });

  test.each(paths)(`%s: lost none of ${rings} rings`, (path) => {
    const single = turnsOf(runs, `${path}_single`);
    const bursts = turnsOf(runs, `${path}_bursts`);
    for (const event of [...single, ...bursts]) {
      expect(figure(event, 'lost'), event.name).toBe(0);
      expect(figure(event, 'taken'), event.name).toBe(figure(event, 'latched'));
    }
    expect(sum(single, 'at_once')).toBeGreaterThan(0);
    expect(sum(single, 'window')).toBeGreaterThan(0);
    expect(sum(bursts, 'rings')).toBeGreaterThanOrEqual(rings);
  });

  test("an assigned device's interrupts are taken where the name says", () => {
    for (const name of ['vfio_threaded_single', 'vfio_threaded_bursts', 'threaded_vcpu_above_stalls'])
      expect(figure(find(name), 'hard'), name).toBe(0);
    for (const name of ['vfio_hard_single', 'vfio_hard_bursts', 'hard_vcpu_above'])
      expect(figure(find(name), 'hard'), name).toBeGreaterThan(0);
  });

  test('a vCPU at FIFO 60 that spins starves the interrupt thread, and not the handler', () => {
    expect(figure(find('threaded_vcpu_above_stalls'), 'starved')).toBe(rounds);
    expect(figure(find('hard_vcpu_above'), 'stalled')).toBe(0);
  });

  test(`went through ${operations} random operations`, () => {
    const event = find('operations');
    expect(figure(event, 'operations')).toBe(operations);
    expect(figure(event, 'yields')).toBeGreaterThan(0);
    expect(figure(event, 'interrupted')).toBeGreaterThan(0);
  });

  test.runIf(isLong)('lose wake-ups if the latch is taken away', { timeout: 40 * minutes }, async () => {
    const singles = paths.map((path) => `${path}_single`);
    const broken = await runSelftests(await buildNegativeControl(artifacts, progress), progress, [
      { ...racing(ringsWithoutLatch, singles), windows: singles },
    ]);
    for (const name of singles) expectLost(broken, name);
  });
});
