// SPDX-License-Identifier: Apache-2.0
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { kernelSeriesHere } from '../../src/setup/kernel-packages.js';
import { projectRoot } from '../../src/support/paths.js';

const page = readFileSync(join(projectRoot, 'SECURITY.md'), 'utf8');

/** The rows of the threat model's tables: what a party can do, and what shows the bound. */
const claims = page
  .split('\n')
  .filter((line) => line.startsWith('| ') && !/^\|[ -]+\|/.test(line) && !line.endsWith('shown by |'))
  .map((line) => line.split('|').map((cell) => cell.trim()))
  .filter(([, , , shownBy]) => shownBy !== 'shown by')
  .map(([, can = '', , shownBy = '']) => ({ can, shownBy }));

/** `program`: `case`, `case`; by program. */
function kernelCases(shownBy: string): { program: string; name: string }[] {
  return [...shownBy.matchAll(/`(\w+_test)`:((?: `\w+`,?)+)/g)].flatMap(([, program = '', names = '']) =>
    [...names.matchAll(/`(\w+)`/g)].map(([, name = '']) => ({ program, name })),
  );
}

const testFiles = (shownBy: string) =>
  [...shownBy.matchAll(/`(test\/[\w/.-]+)`/g)].map(([, path = '']) => path);

/** All selftests that a series adds. */
function selftests(series: string): string {
  const folder = join(projectRoot, 'kernel-patches', series);
  const patches = readdirSync(folder).filter((name) => name.includes('selftests'));
  return patches.map((name) => readFileSync(join(folder, name), 'utf8')).join('\n');
}

/** A case is a TEST_F() of its program, or a result that the program reports by name. */
const hasCase = (text: string, name: string) =>
  new RegExp(`^\\+(TEST_F\\(\\w+, ${name}\\)|.*ksft_test_result\\(.*"${name}\\\\n")`, 'm').test(text);

test('the threat model has its four parties', () => {
  expect(page.match(/^### .*/gm)).toHaveLength(4);
  expect(claims.length).toBeGreaterThan(20);
});

describe.each(claims)('that it can $can', ({ shownBy }) => {
  test('is shown by a test', () => {
    expect(testFiles(shownBy).length + kernelCases(shownBy).length, shownBy).toBeGreaterThan(0);
  });

  test('and each that it names is there', () => {
    expect(testFiles(shownBy).filter((path) => !existsSync(join(projectRoot, path)))).toEqual([]);
    for (const series of kernelSeriesHere) {
      const text = selftests(series);
      const missing = kernelCases(shownBy).filter(
        ({ program, name }) => !text.includes(`/${program}.c`) || !hasCase(text, name),
      );
      expect(missing, series).toEqual([]);
    }
  });
});
