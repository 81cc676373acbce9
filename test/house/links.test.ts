// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { gitWords } from '../../src/support/git.js';
import { projectRoot } from '../../src/support/paths.js';

const pages = execFileSync('git', [...gitWords, 'ls-files', '-co', '--exclude-standard', '*.md'])
  .toString()
  .split('\n')
  .filter((page) => page !== '');

const link = /\]\((?!https?:|mailto:|#)([^)#\s]+)/g;
/** Tests by their path, as SECURITY.md names them. */
const namedTest = /`(test\/[\w/.-]+)`/g;

function missing(page: string): string[] {
  const text = readFileSync(join(projectRoot, page), 'utf8');
  const links = [...text.matchAll(link)].map(([, to = '']) => join(dirname(page), to));
  const tests = [...text.matchAll(namedTest)].map(([, to = '']) => to);
  return [...links, ...tests].filter((to) => !existsSync(join(projectRoot, to)));
}

test.each(pages)('what %s links to, and each test that it names, is there', (page) => {
  expect(missing(page)).toEqual([]);
});
