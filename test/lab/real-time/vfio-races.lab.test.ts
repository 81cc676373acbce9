// SPDX-License-Identifier: Apache-2.0
import { beforeAll, describe, expect, test } from 'vitest';
import type { LabEvent } from '../../../src/lab/events.js';
import { kernelDefect } from '../../../src/lab/kernel-log.js';
import { testDevices } from '../../../src/lab/machine.js';
import { type Artifacts, buildNegativeControl, withSelftests } from '../../../src/setup/artifacts.js';
import { prepareLab } from '../../../src/setup/prepare.js';
import { stderrProgress } from '../../../src/support/progress.js';
import { casesOf, figure, programsOf, runSelftests } from './kernel-selftests.js';

const minutes = 60_000;
const progress = stderrProgress();
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

const words = (count: number, races: readonly string[]): string[] => [
  ...['-d', testDevices.edu, '-n', String(count)],
  ...races.flatMap((race) => ['-t', race]),
];

describe("doorbells rung by an assigned device's MSI", () => {
  let artifacts: Artifacts;
  let events: LabEvent[];
  const find = (name: string) => casesOf(events).find((event) => event.name === name);

  beforeAll(
    async () => {
      artifacts = await withSelftests(await prepareLab(progress, true), progress);
      const races = pathNames.flatMap((path) => Object.values(paths[path]));
      events = await runSelftests(artifacts, progress, { vcpu_yield_race_test: words(rings, races) });
    },
    (20 + rings / 10_000) * minutes,
  );

  test('ended well, whole, and left nothing behind in the kernel', () => {
    const [program, ...others] = programsOf(events);
    expect(others).toEqual([]);
    expect(program).toMatchObject({ ended: 0, incomplete: [], vmsLeft: 0, moduleUsesLeft: 0 });
    expect(program?.kernelLog.filter((line) => kernelDefect.test(line))).toEqual([]);
  });

  test.each(pathNames)(`%s: none of ${rings} interrupts lost, and the window hit`, (path) => {
    const single = find(paths[path].single);
    const bursts = find(paths[path].bursts);
    for (const event of [single, bursts]) {
      expect(event?.outcome, event?.notes.join('; ')).toBe('pass');
      expect(figure(event, 'lost'), event?.name).toBe(0);
      expect(figure(event, 'taken'), event?.name).toBe(figure(event, 'latched'));
      expect(figure(event, 'at_once'), event?.name).toBeGreaterThan(0);
    }
    expect(figure(single, 'window')).toBeGreaterThan(0);
    expect(figure(bursts, 'interrupts')).toBeGreaterThanOrEqual(rings);
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

  test('lose wake-ups if the latch is taken away', { timeout: 20 * minutes }, async () => {
    const broken = await runSelftests(await buildNegativeControl(artifacts, progress), progress, {
      vcpu_yield_race_test: words(
        ringsWithoutLatch,
        pathNames.map((path) => paths[path].single),
      ),
    });
    for (const path of pathNames) {
      const event = casesOf(broken).find(({ name }) => name === paths[path].single);
      expect(event?.outcome, path).toBe('fail');
      expect(figure(event, 'lost'), path).toBeGreaterThan(0);
    }
  });
});
