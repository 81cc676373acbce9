// SPDX-License-Identifier: Apache-2.0
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { LabEvent, TestCaseEvent, TestProgramEvent } from '../../../src/lab/events.js';
import { kernelDefect } from '../../../src/lab/kernel-log.js';
import { runLab } from '../../../src/lab/run.js';
import { windowMissed } from '../../../src/lab/tap.js';
import type { Artifacts } from '../../../src/setup/artifacts.js';
import type { Progress } from '../../../src/support/progress.js';

/** A program, its words, and the races whose window must be hit: it runs again until they were (src/lab/plan.ts). */
export interface Program {
  program: string;
  words: readonly string[];
  windows?: readonly string[];
}

/** What a program did, each time that it ran. */
export interface ProgramRun {
  turns: { end: TestProgramEvent; cases: TestCaseEvent[] }[];
}

/** Runs kernel selftests in one L1, one after the other. @returns a run for each, in their order */
export async function runSelftests(
  artifacts: Artifacts,
  progress: Progress,
  programs: readonly Program[],
): Promise<ProgramRun[]> {
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
      testPrograms: programs.map(({ program, words, windows = [] }) => ({
        program,
        arguments: [...words],
        windows: [...windows],
      })),
    },
    progress,
  });
  // An emulator that died is started again; what a kernel died of must not be forgotten over that.
  const death = failures.find(({ why }) => /^a kernel /.test(why));
  if (death) throw new Error(`${death.why}; its console is in ${death.folder}`);
  // Without them a run hangs when the emulator loses an interrupt.
  expect(events.find((event) => event.type === 'pulses')?.count).toBeGreaterThan(0);
  const runs = runsOf(events);
  expect(runs.map(({ turns }) => turns[0]?.end.program)).toEqual(programs.map(({ program }) => program));
  return runs;
}

/** A program's cases come before its end, and its turns one after the other. */
function runsOf(events: readonly LabEvent[]): ProgramRun[] {
  const runs: ProgramRun[] = [];
  let cases: TestCaseEvent[] = [];
  for (const event of events) {
    if (event.type === 'test-case') cases.push(event);
    if (event.type !== 'test-program') continue;
    const last = runs.at(-1);
    const turn = { end: event, cases };
    if (last && nameOf(last.turns[0]?.end) === nameOf(event)) last.turns.push(turn);
    else runs.push({ turns: [turn] });
    cases = [];
  }
  return runs;
}

const nameOf = (end: TestProgramEvent | undefined) => [end?.program, ...(end?.arguments ?? [])].join(' ');

const allTurns = (runs: readonly ProgramRun[]) => runs.flatMap(({ turns }) => turns);

export const casesOf = (runs: readonly ProgramRun[]): TestCaseEvent[] =>
  allTurns(runs).flatMap(({ cases }) => cases);

/** The case of that name, in each turn; of one that was not chosen there is none. */
export const turnsOf = (runs: readonly ProgramRun[], name: string): TestCaseEvent[] =>
  casesOf(runs).filter((event) => event.name === name);

/** The case of that name, in the first turn. */
export const caseOf = (runs: readonly ProgramRun[], name: string): TestCaseEvent | undefined =>
  turnsOf(runs, name)[0];

/** A race that lost nothing and mixed up nothing, but never rang in its window: its program runs again for that. */
export function missedWindow(turn: TestCaseEvent): boolean {
  const isRight = figure(turn, 'lost') === 0 && !turn.notes.some((note) => /not each doorbell/.test(note));
  return turn.outcome === 'fail' && isRight && turn.notes.some((note) => note.includes(windowMissed));
}

/** Cases that failed, in whichever turn. */
export const failuresOf = (runs: readonly ProgramRun[]): string[] =>
  casesOf(runs)
    .filter((turn) => turn.outcome === 'fail' && !missedWindow(turn))
    .map(({ name, notes }) => `${name}: ${notes.join('; ')}`);

/** It passed, and failed in no turn. */
export function expectPassed(runs: readonly ProgramRun[], name: string): void {
  const counted = turnsOf(runs, name).filter((turn) => !missedWindow(turn));
  expect(counted, name).not.toEqual([]);
  for (const { outcome, notes } of counted) expect(outcome, `${name}: ${notes.join('; ')}`).toBe('pass');
}

/** Each program ended by itself, with all its cases, and left nothing behind in the kernel. */
export function expectGoodEnd(runs: readonly ProgramRun[]): void {
  for (const { end, cases } of allTurns(runs)) {
    const { program, ended, incomplete, stderr, ...left } = end;
    const good = { program, ended: cases.some(missedWindow) ? 1 : 0, incomplete: [] };
    expect({ program, ended, incomplete }, stderr.join('\n')).toEqual(good);
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

/** The same of all turns together. */
export const sum = (turns: readonly TestCaseEvent[], name: string): number =>
  turns.reduce((total, turn) => total + figure(turn, name), 0);

/** A KVM without the latch fails that race by what it loses, in one turn or another. */
export function expectLost(runs: readonly ProgramRun[], name: string): void {
  const lossy = turnsOf(runs, name).filter((turn) => figure(turn, 'lost') > 0);
  expect(lossy, name).not.toEqual([]);
  for (const { outcome } of lossy) expect(outcome, name).toBe('fail');
}
