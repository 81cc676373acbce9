// SPDX-License-Identifier: Apache-2.0
import { Parser, type Result } from 'tap-parser';

/** One test case of a program that prints TAP, as kernel selftests do. */
export interface TestCase {
  name: string;
  outcome: 'pass' | 'fail' | 'skip';
  /** What the program printed since the case before: why it failed or was skipped, and its figures. */
  notes: string[];
}

export interface TestRun {
  cases: TestCase[];
  /** Cases that were planned and never reported, a plan that is missing: each as a sentence. */
  incomplete: string[];
}

/** What a race of the series' selftests says that rang too seldom, or on too busy a machine. */
export const windowMissed = 'the window was not hit';

/** Notes kept of one case; a case that fails in a loop must not fill the result. */
const notesKept = 40;

/** Reads KTAP (linux: Documentation/dev-tools/ktap.rst), whole or cut off by a crash of the program. */
export function parseTap(text: string): TestRun {
  const parser = new Parser();
  const cases: TestCase[] = [];
  const incomplete: string[] = [];
  let notes: string[] = [];
  const note = (line: string) => {
    if (line.trim() && notes.length < notesKept) notes.push(line.replace(/^#\s*/, '').trimEnd());
  };
  parser.on('comment', note);
  parser.on('extra', note);
  parser.on('assert', (result: Result) => {
    // Errors of the whole (a bad plan) come as a result, too.
    if (result.tapError) incomplete.push(result.tapError);
    else cases.push({ name: result.name || nameBegun(notes), outcome: outcomeOf(result), notes });
    notes = [];
  });
  parser.on('complete', ({ plan, failures }) => {
    if (plan.end === null) incomplete.push('no plan');
    // Also where the program as a whole is skipped (1..0): whoever runs it wants to know.
    if (cases.length === 0) incomplete.push('no test case');
    for (const failure of failures) if (failure.tapError) incomplete.push(String(failure.tapError));
  });
  parser.end(text);
  return { cases, incomplete: [...new Set(incomplete)] };
}

function outcomeOf({ ok, skip }: Result): TestCase['outcome'] {
  if (skip !== false) return 'skip';
  return ok ? 'pass' : 'fail';
}

/** The harness of 6.1 names a case that it skips only where it begins it. */
function nameBegun(notes: readonly string[]): string {
  return notes.map((line) => /^RUN\s+(\S+) \.\.\.$/.exec(line)?.[1]).find(Boolean) ?? '';
}
