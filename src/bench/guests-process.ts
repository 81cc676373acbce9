// SPDX-License-Identifier: Apache-2.0
// Guests in a process of their own, as many as the parent's first message orders.
import { setPriority } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { BackOff } from '../support/back-off.js';
import type { FromGuests, GuestsOrder } from './messages.js';
import { guestAddress } from './messages.js';
import { StandInGuest } from './stand-in-guest.js';
import { WakeSamples } from './wake-samples.js';

/** TLS handshakes at once: below what the host agent takes of those that have shown no secret. */
const connectingMost = 32;
/** Of one guest, as the guest agent retries: on a busy machine a handshake may not end in time. */
const attemptsMost = 6;

/** Real guests have CPUs of their own; these share the agent's, and give way to it (nice(1)). */
const niceness = 10;
setPriority(niceness);

const tell = (message: FromGuests) => process.send?.(message);
process.once('disconnect', () => process.exit(0));
process.once('message', (order: GuestsOrder) => void run(order));

async function run({ url, fingerprint, guests, wakes }: GuestsOrder): Promise<void> {
  const samples = new WakeSamples(wakes);
  const waiting = guests.entries();
  await Promise.all(
    Array.from({ length: connectingMost }, async () => {
      for (const [index, { uuid, secret, kvm }] of waiting) {
        const trust = { fingerprint };
        const address = { url: new URL(url), trust, domain: uuid, secret, from: guestAddress(index) };
        try {
          const { closed } = await connect(new StandInGuest(address, kvm, samples));
          void closed.then(({ code, reason }) => tell({ type: 'lost', uuid, why: `${code} ${reason}` }));
        } catch (error) {
          tell({ type: 'lost', uuid, why: String(error) });
        }
      }
    }),
  );
  tell({ type: 'open' });
}

/** @throws the last attempt's error */
async function connect(guest: StandInGuest): ReturnType<StandInGuest['connect']> {
  const backOff = new BackOff(500, 5_000);
  for (let attempt = 1; ; attempt++) {
    try {
      return await guest.connect();
    } catch (error) {
      if (attempt === attemptsMost) throw error;
      await delay(backOff.next());
    }
  }
}
