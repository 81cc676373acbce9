// SPDX-License-Identifier: Apache-2.0
import { beforeAll } from 'vitest';
import { buildNegativeControl, buildUnpatched, withSelftests } from '../../../src/setup/artifacts.js';
import { prepareLab } from '../../../src/setup/prepare.js';
import { stderrProgress } from '../../../src/support/progress.js';
import { type ProgramRun, runSelftests } from './kernel-selftests.js';
import { priorityInversion, testPriorityInversion } from './priority-inversion.js';
import { testVfioRaces, vfioRaces, vfioRacesMinutes, vfioRacesWithoutLatch } from './vfio-races.js';
import { testYields, yieldPrograms, yieldRacesWithoutLatch } from './yield-promises.js';

const minutes = 60_000;

/** Three hosts: with the series, with a KVM that loses wake-ups, and the distribution's own. Each boots once. */
let series: ProgramRun[] = [];
let withoutLatch: ProgramRun[] = [];
let stock: ProgramRun[] = [];

beforeAll(
  async () => {
    const progress = stderrProgress();
    const artifacts = await withSelftests(await prepareLab(progress, true), progress);
    stock = await runSelftests(await buildUnpatched(artifacts, progress), progress, [priorityInversion]);
    withoutLatch = await runSelftests(await buildNegativeControl(artifacts, progress), progress, [
      yieldRacesWithoutLatch,
      vfioRacesWithoutLatch,
    ]);
    series = await runSelftests(artifacts, progress, [priorityInversion, vfioRaces, ...yieldPrograms]);
  },
  (60 + vfioRacesMinutes) * minutes,
);

testPriorityInversion(
  () => series.slice(0, 1),
  () => stock,
);
testVfioRaces(
  () => series.slice(1, 2),
  () => withoutLatch.slice(1),
);
testYields(
  () => series.slice(2),
  () => withoutLatch.slice(0, 1),
);
