// SPDX-License-Identifier: Apache-2.0
import { availableParallelism, totalmem } from 'node:os';
import { configDefaults, defineConfig } from 'vitest/config';

/** Memory that an emulated host takes at most, with the processes around it. */
const labBytes = 6 * 2 ** 30;
/**
 * The instruction clock does not mind what else runs, and no unit test does: as many at once as there is room for, and
 * one more than CPUs, since most unit tests wait for something.
 */
const maxWorkers = Math.max(1, Math.min(availableParallelism() + 1, Math.floor(totalmem() / labBytes)));
/** Minutes each: they have npm scripts of their own. */
const long = process.env.VMCALL_LONG_TESTS ? [] : ['test/**/*.long.test.ts'];
const labs = ['lab', 'long'].map((kind) => `test/lab/*.${kind}.test.ts`);
const realTime = ['lab', 'long'].map((kind) => `test/lab/real-time/*.${kind}.test.ts`);

export default defineConfig({
  test: {
    globalSetup: 'test/global-setup.ts',
    pool: 'forks',
    // On a busy machine all is slow: they end what hangs, and fail nothing that goes on.
    testTimeout: 180_000,
    hookTimeout: 300_000,
    // In a group, projects take their turns by name: the labs, which are long, then the units beside the last of them.
    projects: [
      {
        extends: true,
        test: {
          name: 'labs',
          include: labs,
          exclude: [...configDefaults.exclude, ...long],
          maxWorkers,
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: {
          name: 'units',
          include: ['test/**/*.test.ts'],
          exclude: [...configDefaults.exclude, ...labs, ...realTime, ...long],
          maxWorkers,
          sequence: { groupOrder: 0 },
        },
      },
      {
        // Parallel CPUs on the machine's own clock: they race, and need both of its.
        extends: true,
        test: {
          name: 'real-time',
          include: realTime,
          exclude: [...configDefaults.exclude, ...long],
          maxWorkers: 1,
          fileParallelism: false,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
