// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { projectRoot } from '../../src/support/paths.js';
import { sources } from './import-graph.js';

const spread = /\.\.\.\{/;

test('no object literal is spread into another: its fields stand where they are', () => {
  expect('{ a: 1 }').toMatch(spread);
  expect('{ ...a }').not.toMatch(spread);
  const found = sources()
    .filter((file) => file.endsWith('.ts'))
    .filter((file) => spread.test(readFileSync(join(projectRoot, file), 'utf8')));
  expect(found).toEqual([]);
});
