// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from 'vitest';
import { testDevices } from '../../../src/lab/machine.js';
import {
  caseOf,
  expectGoodEnd,
  expectLost,
  expectPassed,
  figure,
  type Program,
  type ProgramRun,
  sum,
  turnsOf,
} from './kernel-selftests.js';

/** Of the bursts on each path; single ones are an eighth of it. `npm run test:races` does a million. */
const rings = Number(process.env.VMCALL_RACE_RINGS ?? 10_000);
/** Without the latch some ring in a few hundred is lost. */
const ringsWithoutLatch = 20_000;
/** The races of each path, by where the host takes the device's interrupt. */
const paths = {
  threaded: { single: 'vfio_threaded_single', bursts: 'vfio_threaded_bursts' },
  hard: { single: 'vfio_hard_single', bursts: 'vfio_hard_bursts' },
} as const;
type PathName = keyof typeof paths;
const pathNames = Object.keys(paths) as PathName[];

const singles = pathNames.map((path) => paths[path].single);

const racing = (count: number, races: readonly string[]): Program => ({
  program: 'vcpu_yield_race_test',
  words: ['-d', testDevices.edu, '-n', String(count), ...races.flatMap((race) => ['-t', race])],
});

/** For the host with the series. */
export const vfioRaces: Program = {
  ...racing(
    rings,
    pathNames.flatMap((path) => Object.values(paths[path])),
  ),
  windows: singles,
};
/** For the one that loses wake-ups. */
export const vfioRacesWithoutLatch: Program = { ...racing(ringsWithoutLatch, singles), windows: singles };
/** How much longer than usual they take, minutes. */
export const vfioRacesMinutes = rings / 10_000;

/** What the series promises of a doorbell that an assigned device rings. */
export function testVfioRaces(series: () => readonly ProgramRun[]): void {
  describe("doorbells rung by an assigned device's MSI", () => {
    const find = (name: string) => caseOf(series(), name);

    test('ended well, whole, and left nothing behind in the kernel', () => {
      expect(series()).toHaveLength(1);
      expectGoodEnd(series());
    });

    test.each(pathNames)(`%s: none of ${rings} interrupts lost, and the window hit`, (path) => {
      const single = turnsOf(series(), paths[path].single);
      const bursts = turnsOf(series(), paths[path].bursts);
      for (const event of [...single, ...bursts]) {
        expect(figure(event, 'lost'), event.name).toBe(0);
        expect(figure(event, 'taken'), event.name).toBe(figure(event, 'latched'));
      }
      for (const race of Object.values(paths[path])) expectPassed(series(), race);
      expect(sum(single, 'at_once')).toBeGreaterThan(0);
      expect(sum(bursts, 'at_once')).toBeGreaterThan(0);
      expect(sum(single, 'window')).toBeGreaterThan(0);
      expect(sum(bursts, 'interrupts')).toBeGreaterThanOrEqual(rings);
    });

    test('threaded and hard are what the names say', () => {
      for (const race of Object.values(paths.threaded)) expect(figure(find(race), 'hard'), race).toBe(0);
      let hard = 0;
      for (const race of Object.values(paths.hard)) {
        hard += figure(find(race), 'hard');
        // Above its limit of the rate the host leaves some to the thread: those do not count.
        const seen = figure(find(race), 'hard') + figure(find(race), 'refused');
        expect(seen, race).toBeGreaterThanOrEqual(figure(find(race), 'interrupts'));
      }
      expect(hard).toBeGreaterThanOrEqual(rings);
    });
  });
}

export function testVfioRacesWithoutLatch(withoutLatch: () => readonly ProgramRun[]): void {
  describe("doorbells rung by an assigned device's MSI", () => {
    test.each(pathNames)('%s: lose wake-ups if the latch is taken away', (path) => {
      expectLost(withoutLatch(), paths[path].single);
    });
  });
}
