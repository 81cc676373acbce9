// SPDX-License-Identifier: Apache-2.0
import { expect, test } from 'vitest';
import { LineSplitter } from '../../src/support/lines.js';

test('lines are put together from pieces, and bounded', () => {
  const lines = new LineSplitter(5);
  expect(lines.push('ab')).toEqual([]);
  expect(lines.push('c\nde\nf')).toEqual(['abc', 'de']);
  expect(() => lines.push('ghijkl')).toThrow('more than 5');
  expect(lines.push('m\n')).toEqual(['m']);
});
