// SPDX-License-Identifier: Apache-2.0
import { beforeAll } from 'vitest';
import { buildNegativeControl, buildUnpatched, withSelftests } from '../../src/setup/artifacts.js';
import { prepareLab } from '../../src/setup/prepare.js';
import { stderrProgress } from '../../src/support/progress.js';
import { type ProgramRun, runSelftests } from './real-time/kernel-selftests.js';
import { priorityInversion, testPriorityInversionOfStock } from './real-time/priority-inversion.js';
import { testVfioRacesWithoutLatch, vfioRacesWithoutLatch } from './real-time/vfio-races.js';
import { testYieldsWithoutLatch, yieldRacesWithoutLatch } from './real-time/yield-promises.js';

const minutes = 60_000;

/** Hosts on which the selftests must fail: with a KVM that loses wake-ups, and the distribution's own. */
let withoutLatch: ProgramRun[] = [];
let stock: ProgramRun[] = [];

// They mostly wait for what does not come: other labs may run beside them.
beforeAll(async () => {
  const progress = stderrProgress();
  const artifacts = await withSelftests(await prepareLab(progress, true), progress);
  stock = await runSelftests(await buildUnpatched(artifacts, progress), progress, [priorityInversion]);
  withoutLatch = await runSelftests(await buildNegativeControl(artifacts, progress), progress, [
    yieldRacesWithoutLatch,
    vfioRacesWithoutLatch,
  ]);
}, 60 * minutes);

testPriorityInversionOfStock(() => stock);
testYieldsWithoutLatch(() => withoutLatch.slice(0, 1));
testVfioRacesWithoutLatch(() => withoutLatch.slice(1));
