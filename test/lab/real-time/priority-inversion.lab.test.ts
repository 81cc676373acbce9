// SPDX-License-Identifier: Apache-2.0
import { beforeAll, describe, expect, test } from 'vitest';
import type { TestCaseEvent } from '../../../src/lab/events.js';
import { testDevices } from '../../../src/lab/machine.js';
import { type Artifacts, buildUnpatched, withSelftests } from '../../../src/setup/artifacts.js';
import { prepareLab } from '../../../src/setup/prepare.js';
import { stderrProgress } from '../../../src/support/progress.js';
import { casesOf, figure, runSelftests } from './kernel-selftests.js';

const minutes = 60_000;
const progress = stderrProgress();
const rounds = 5;
const program = 'irqfd_priority_test';
const names = ['rounds', 'stalled', 'starved', 'released', 'hard'] as const;

/** What became of the device's interrupts, while the vCPU they were for spun at a real-time priority. */
const figures = (testCase: TestCaseEvent | undefined) =>
  Object.fromEntries(names.map((name) => [name, figure(testCase, name)]));

/** None came while the vCPU span, their thread was runnable and never ran, each came once the vCPU was below it. */
const stalled = { rounds, stalled: rounds, starved: rounds, released: rounds, hard: 0 };
const inTime = { rounds, stalled: 0, starved: 0, released: 0, hard: 0 };

describe('a vCPU at FIFO 60 that spins for an interrupt on the CPU of its thread, at FIFO 50', () => {
  let artifacts: Artifacts;

  beforeAll(async () => {
    artifacts = await withSelftests(await prepareLab(progress, true), progress);
  }, 20 * minutes);

  async function measure(lab: Artifacts): Promise<(name: string) => TestCaseEvent | undefined> {
    const events = await runSelftests(lab, progress, {
      [program]: ['-d', testDevices.edu, '-r', String(rounds)],
    });
    for (const { outcome, notes } of casesOf(events))
      if (outcome !== 'skip') progress.step(notes.at(-1) ?? '');
    return (name) => casesOf(events).find((event) => event.name === name);
  }

  test("never gets it from Debian's own KVM and VFIO", { timeout: 20 * minutes }, async () => {
    const find = await measure(await buildUnpatched(artifacts, progress));
    expect(figures(find('threaded_vcpu_above_stalls'))).toEqual(stalled);
    // At FIFO 40: it is the priority that does it.
    expect(figures(find('threaded_vcpu_below'))).toEqual(inTime);
    expect(find('hard_vcpu_above'), 'there is no such handler').toBeUndefined();
  });

  test("gets it from the series' handler in hard interrupt context, and not from its thread", {
    timeout: 20 * minutes,
  }, async () => {
    const find = await measure(artifacts);
    expect(figures(find('threaded_vcpu_above_stalls'))).toEqual(stalled);
    expect(figures(find('threaded_vcpu_below'))).toEqual(inTime);
    const hard = figures(find('hard_vcpu_above'));
    expect(hard).toEqual({ ...inTime, hard: hard.hard });
    expect(hard.hard).toBeGreaterThanOrEqual(rounds);
  });
});
