// SPDX-License-Identifier: Apache-2.0
import { expect, test } from 'vitest';
import { cpuTimeOf } from '../../src/support/cpu-time.js';

test("CPU time is what the process's own count of it says, and an error of who is not there", () => {
  const began = process.cpuUsage();
  const [before, ownBefore] = [cpuTimeOf(process.pid), (began.user + began.system) / 1e6];
  while (process.cpuUsage(began).user < 200_000);
  const { user, system } = process.cpuUsage();
  const [took, own] = [cpuTimeOf(process.pid) - before, (user + system) / 1e6 - ownBefore];
  expect(took).toBeGreaterThan(own - 0.1);
  expect(took).toBeLessThan(own + 0.1);
  // Above the largest pid_max (linux: include/linux/threads.h).
  expect(() => cpuTimeOf(5_000_000)).toThrow('ENOENT');
});
