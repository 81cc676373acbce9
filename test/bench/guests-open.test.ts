// SPDX-License-Identifier: Apache-2.0
import { EventEmitter } from 'node:events';
import { setImmediate as turn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { guestsOpen } from '../../src/bench/guests-open.js';

test('a guest that is lost while others connect does not end the waiting for them', async () => {
  const guests = new EventEmitter();
  let isOpen = false;
  const opened = guestsOpen(guests).then(() => {
    isOpen = true;
  });
  guests.emit('message', { type: 'lost', uuid: 'a', why: 'timeout' });
  await turn();
  expect(isOpen).toBe(false);
  guests.emit('message', { type: 'open' });
  await opened;
});

test('the end of their process is reported, not waited out', async () => {
  const guests = new EventEmitter();
  const opened = guestsOpen(guests);
  guests.emit('exit', 1);
  await expect(opened).rejects.toMatchObject({ code: 'BENCH_FAILED' });
});
