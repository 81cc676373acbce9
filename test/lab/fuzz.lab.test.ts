// SPDX-License-Identifier: Apache-2.0
import { beforeAll, describe, expect, test } from 'vitest';
import { withSelftests } from '../../src/setup/artifacts.js';
import { prepareLab } from '../../src/setup/prepare.js';
import { stderrProgress } from '../../src/support/progress.js';
import {
  caseOf,
  casesOf,
  expectGoodEnd,
  figure,
  type ProgramRun,
  runSelftests,
} from './real-time/kernel-selftests.js';

const minutes = 60_000;
const operations = Number(process.env.VMCALL_FUZZ_OPERATIONS ?? 100_000);
const seed = 1;

/** One vCPU most of the time: it needs no CPU for itself, and may run beside other labs. */
describe(`${operations} random operations on a vCPU that yields`, () => {
  let runs: ProgramRun[];

  beforeAll(async () => {
    const progress = stderrProgress();
    const artifacts = await withSelftests(await prepareLab(progress, true), progress);
    runs = await runSelftests(artifacts, progress, [
      { program: 'vcpu_yield_fuzz_test', words: ['-n', String(operations), '-s', String(seed)] },
    ]);
  }, 40 * minutes);

  test('ended well, whole, and left nothing behind in the kernel', () => {
    expect(runs).toHaveLength(1);
    expectGoodEnd(runs);
  });

  test('failed nowhere, and skipped nothing', () => {
    const others = casesOf(runs).filter(({ outcome }) => outcome !== 'pass');
    expect(others.map(({ name, notes }) => `${name}: ${notes.join('; ')}`)).toEqual([]);
  });

  test('were all gone through', () => {
    const event = caseOf(runs, 'operations');
    expect(figure(event, 'operations')).toBe(operations);
    expect(figure(event, 'yields')).toBeGreaterThan(0);
    expect(figure(event, 'interrupted')).toBeGreaterThan(0);
  });
});
