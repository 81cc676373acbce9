// SPDX-License-Identifier: Apache-2.0
import { expect, test } from 'vitest';
import { BackOff } from '../../src/support/back-off.js';
import { LineSplitter } from '../../src/support/lines.js';
import { createLog } from '../../src/support/log.js';

test('back-off doubles up to its bound, jittered downwards by half at most, and begins anew', () => {
  const high = new BackOff(500, 30_000, () => 1);
  expect(Array.from({ length: 9 }, () => high.next())).toEqual([
    500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000,
  ]);
  high.reset();
  expect(high.next()).toBe(500);
  const low = new BackOff(500, 30_000, () => 0);
  expect([low.next(), low.next(), low.longest()]).toEqual([250, 500, 15_000]);
});

test('lines are put together from pieces, and bounded', () => {
  const lines = new LineSplitter(5);
  expect(lines.push('ab')).toEqual([]);
  expect(lines.push('c\nde\nf')).toEqual(['abc', 'de']);
  expect(() => lines.push('ghijkl')).toThrow('more than 5');
  expect(lines.push('m\n')).toEqual(['m']);
});

test('a log line is JSON and holds no secret', () => {
  const written: string[] = [];
  createLog('test', { write: (line) => written.push(line) }).info(
    { secret: 'abc', host: { secret: 'abc' } },
    'text',
  );
  expect(JSON.parse(written[0] ?? '')).toMatchObject({ level: 'info', agent: 'test', message: 'text' });
  expect(written[0]).not.toContain('abc');
});
