// SPDX-License-Identifier: Apache-2.0
import { expect, test } from 'vitest';
import { tonesFor } from '../../src/top/terminal.js';

test('colours stand for what is bad unless NO_COLOR is set to anything', () => {
  const colour = /\[3\d/;
  expect(tonesFor({}).bad).toMatch(colour);
  expect(tonesFor({ NO_COLOR: '' }).bad).toMatch(colour);
  expect(Object.values(tonesFor({ NO_COLOR: '1' })).join('')).not.toMatch(colour);
  expect(tonesFor({ NO_COLOR: '1' }).bad).not.toBe('');
});
