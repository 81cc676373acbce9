// SPDX-License-Identifier: Apache-2.0
import { configDefaults, defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // Minutes each: npm run test:tables.
    exclude: [
      ...configDefaults.exclude,
      ...(process.env.VMCALL_LONG_TESTS ? [] : ['test/**/*.long.test.ts']),
    ],
    globalSetup: 'test/global-setup.ts',
    pool: 'forks',
    // Lab runs share two cores with nothing else: their timing matters.
    fileParallelism: false,
    maxWorkers: 1,
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
});
