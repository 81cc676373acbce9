// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from 'vitest';
import { type Outcome, regressions, table } from './upstream-selftests.js';

const outcomes = (entries: Record<string, Outcome>) => new Map(Object.entries(entries));

describe("comparison of the kernel's own selftests", () => {
  const before = outcomes({ a: 'ok', b: 'ok', c: 'failed', d: 'ok', e: 'skipped', f: 'ok' });

  test('finds what passed and no longer does, also what is skipped or was not run', () => {
    const after = outcomes({ a: 'ok', b: 'failed', c: 'failed', d: 'skipped', e: 'failed' });
    expect(regressions(before, after)).toEqual(['b', 'd', 'f']);
  });

  test('prints both sides of each program', () => {
    expect(table(before, outcomes({ a: 'timeout' }))).toMatch(/^a +ok +timeout$/m);
  });
});
