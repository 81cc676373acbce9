// SPDX-License-Identifier: Apache-2.0
// Guests in a process of their own, as many as the parent's first message orders.
import type { FromGuests, GuestsOrder } from './messages.js';
import { guestAddress } from './messages.js';
import { StandInGuest } from './stand-in-guest.js';
import { WakeSamples } from './wake-samples.js';

/** TLS handshakes at once: below what the host agent takes of those that have shown no secret. */
const connectingMost = 32;

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
          const { closed } = await new StandInGuest(address, kvm, samples).connect();
          void closed.then(({ code, reason }) => tell({ type: 'lost', uuid, why: `${code} ${reason}` }));
        } catch (error) {
          tell({ type: 'lost', uuid, why: String(error) });
        }
      }
    }),
  );
  tell({ type: 'open' });
}
