// SPDX-License-Identifier: Apache-2.0
import { beforeAll, describe, expect, test } from 'vitest';
import type { TestCaseEvent } from '../../../src/lab/events.js';
import { testDevices } from '../../../src/lab/machine.js';
import { withSelftests } from '../../../src/setup/artifacts.js';
import { prepareLab } from '../../../src/setup/prepare.js';
import { stderrProgress } from '../../../src/support/progress.js';
import { casesOf, figure, runSelftests } from './kernel-selftests.js';

const minutes = 60_000;
const progress = stderrProgress();
/** With one vector, with several, and with one that goes to seven vCPUs, under the limit that KVM ships. */
const kinds = ['limited', 'vectors', 'logical'];
/** Work of the host's and another guest, above the priority of the interrupt thread, on the CPU of the interrupts. */
const limited = kinds.flatMap((kind) => [`${kind}_host_work`, `${kind}_other_guest`]);

describe('a guest whose device interrupts without pause', () => {
  let cases: TestCaseEvent[];
  const find = (name: string) => cases.find((event) => event.name === name);

  beforeAll(async () => {
    const artifacts = await withSelftests(await prepareLab(progress, true), progress);
    cases = casesOf(
      await runSelftests(artifacts, progress, [
        { program: 'irqfd_storm_test', words: ['-d', testDevices.rocker] },
      ]),
    );
    for (const { notes } of cases) progress.step(notes.at(-1) ?? '');
  }, 20 * minutes);

  test('is woken for the last of them, with the limit and without', () => {
    expect(cases).toHaveLength(limited.length + 3);
    for (const event of cases) expect(figure(event, 'lost'), event.name).toBe(0);
  });

  test.each(limited)('%s keeps half of its CPU, while interrupts beyond the limit are held back', (name) => {
    const event = find(name);
    expect(event?.outcome, event?.notes.join('; ')).toBe('pass');
    // A storm: more was asked for than the CPU's limit, by far.
    expect(figure(event, 'asked_a_second')).toBeGreaterThan(2 * figure(event, 'limit'));
    expect(figure(event, 'share_permille')).toBeGreaterThanOrEqual(500);
    expect(figure(event, 'held')).toBeGreaterThan(0);
    // The CPU's budget since the guest began, whatever vectors there are.
    expect(figure(event, 'taken')).toBeLessThanOrEqual(figure(event, 'most'));
    // It comes back by itself: what the CPU has earned meanwhile is taken in hard interrupt context again.
    if (name.startsWith('logical')) expect(figure(event, 'taken')).toBe(0);
    else expect(figure(event, 'taken')).toBeGreaterThan(16);
  });

  test('of a program that wakes 5,000 times a second none is held back', () => {
    const event = find('steady_wakes');
    expect(event?.outcome, event?.notes.join('; ')).toBe('pass');
    expect(figure(event, 'held')).toBe(0);
    expect(figure(event, 'taken')).toBeGreaterThan(0);
  });
});
