// SPDX-License-Identifier: Apache-2.0
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { LabEvent, TestCaseEvent, TestProgramEvent } from '../../../src/lab/events.js';
import { kernelDefect } from '../../../src/lab/kernel-log.js';
import { runLab } from '../../../src/lab/run.js';
import type { Artifacts } from '../../../src/setup/artifacts.js';
import type { Progress } from '../../../src/support/progress.js';

/** Runs kernel selftests in one L1, one after the other; `programs` has each program's words. */
export async function runSelftests(
  artifacts: Artifacts,
  progress: Progress,
  programs: Readonly<Record<string, string[]>>,
): Promise<LabEvent[]> {
  const { events, failures } = await runLab({
    artifacts,
    // Parallel CPUs race; the instruction clock lets them take turns.
    clock: 'realtime',
    folder: await mkdtemp(join(tmpdir(), 'vmcall-selftests-')),
    scenario: {
      scenario: 'selftests',
      packets: 1,
      rounds: 1,
      interval: 1,
      idleThreshold: 0,
      seed: 0,
      testPrograms: Object.entries(programs).map(([program, words]) => ({ program, arguments: words })),
    },
    progress,
  });
  // An emulator that died is started again; what a kernel died of must not be forgotten over that.
  const death = failures.find(({ why }) => /^a kernel /.test(why));
  if (death) throw new Error(`${death.why}; its console is in ${death.folder}`);
  // Without them a run stands still when the emulator loses an interrupt.
  expect(events.find((event) => event.type === 'pulses')?.count).toBeGreaterThan(0);
  return events;
}

export const casesOf = (events: LabEvent[]): TestCaseEvent[] =>
  events.filter((event) => event.type === 'test-case');
export const programsOf = (events: LabEvent[]): TestProgramEvent[] =>
  events.filter((event) => event.type === 'test-program');

/** Each program ended by itself, with all its cases, and left nothing behind in the kernel. */
export function expectGoodEnd(events: LabEvent[]): void {
  for (const { program, ended, incomplete, stderr, ...left } of programsOf(events)) {
    expect({ program, ended, incomplete }, stderr.join('\n')).toEqual({ program, ended: 0, incomplete: [] });
    expect({ program, vms: left.vmsLeft, uses: left.moduleUsesLeft }).toEqual({ program, vms: 0, uses: 0 });
    // A leak of 42 bytes for each of 100,000 operations; caches that warm up take less than 1 MiB.
    expect(left.slabGrowth, `${program}: KiB`).toBeLessThan(4096);
    expect(left.kernelLog.filter((line) => kernelDefect.test(line))).toEqual([]);
  }
}

/** `name=NUMBER` in what a case printed. */
export function figure(testCase: TestCaseEvent | undefined, name: string): number {
  const text = testCase?.notes.join('\n') ?? '';
  return Number(new RegExp(`\\b${name}=(\\d+)`).exec(text)?.[1] ?? Number.NaN);
}
