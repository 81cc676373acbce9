// SPDX-License-Identifier: Apache-2.0
import { expect, test } from 'vitest';
import { readWakeTimes } from '../../src/protocol/wake-times.js';

/** As guest-agent/library/measure/wake_times.c writes them. */
function leb128(...values: bigint[]): string {
  const bytes: number[] = [];
  for (const value of values) {
    let rest = value;
    for (; rest >= 0x80n; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
    bytes.push(Number(rest));
  }
  return Buffer.from(bytes).toString('base64');
}

test('sleeps come out as they went in, beyond 53 bits', () => {
  const first = 2n ** 63n + 12_345n;
  expect(readWakeTimes(leb128(first, 340_000n, 350_000n, 127n, 128n, 0n))).toEqual([
    { before: first - 340_000n, after: first },
    { before: first + 349_873n, after: first + 350_000n },
    { before: first + 350_128n, after: first + 350_128n },
  ]);
});

test('no text is no sleep', () => {
  expect(readWakeTimes('')).toEqual([]);
});

test.each([
  ['half a sleep', leb128(1n)],
  ['a number cut off', Buffer.from([1, 0x80]).toString('base64')],
  ['a number of eleven bytes', Buffer.from([...new Array(11).fill(0xff), 1, 1]).toString('base64')],
])('refuses %s', (_what, text) => {
  expect(() => readWakeTimes(text)).toThrow('no times of wakes');
});
