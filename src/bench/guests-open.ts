// SPDX-License-Identifier: Apache-2.0
import type { EventEmitter } from 'node:events';
import { VmcallError } from '../support/errors.js';
import type { FromGuests } from './messages.js';

/**
 * Until the process that holds the guests says that each has been tried; one that is lost meanwhile ends no waiting.
 * @throws VmcallError BENCH_FAILED: the process ended
 */
export function guestsOpen(guests: EventEmitter): Promise<void> {
  return new Promise((resolve, reject) => {
    const end = () => {
      guests.off('message', onMessage);
      guests.off('exit', onExit);
    };
    const onMessage = ({ type }: FromGuests) => {
      if (type !== 'open') return;
      end();
      resolve();
    };
    const onExit = (code: number | null) => {
      end();
      reject(
        new VmcallError(
          'BENCH_FAILED',
          `the guests' process ended with ${code}`,
          'See what it printed above',
        ),
      );
    };
    guests.on('message', onMessage);
    guests.on('exit', onExit);
  });
}
