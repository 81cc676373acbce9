// SPDX-License-Identifier: Apache-2.0
import { beforeAll } from 'vitest';
import { withSelftests } from '../../../src/setup/artifacts.js';
import { prepareLab } from '../../../src/setup/prepare.js';
import { stderrProgress } from '../../../src/support/progress.js';
import { type ProgramRun, runSelftests } from './kernel-selftests.js';
import { priorityInversion, testPriorityInversion } from './priority-inversion.js';
import { testVfioRaces, vfioRaces, vfioRacesMinutes } from './vfio-races.js';
import { testYields, yieldPrograms } from './yield-promises.js';

const minutes = 60_000;

/** On one host; those that fail are on others: ../selftests-controls.lab.test.ts. */
let runs: ProgramRun[] = [];

beforeAll(
  async () => {
    const progress = stderrProgress();
    const artifacts = await withSelftests(await prepareLab(progress, true), progress);
    runs = await runSelftests(artifacts, progress, [priorityInversion, vfioRaces, ...yieldPrograms]);
  },
  (60 + vfioRacesMinutes) * minutes,
);

testPriorityInversion(() => runs.slice(0, 1));
testVfioRaces(() => runs.slice(1, 2));
testYields(() => runs.slice(2));
