// SPDX-License-Identifier: Apache-2.0
import { mkdtemp, rm } from 'node:fs/promises';
import { connect as connectTcp, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { EnrolmentStore } from '../../host-agent/enrolment/store.js';
import { limits } from '../../src/protocol/limits.js';
import { HostProcess } from '../guest-agent/support/processes.js';
import { basic, RawGuest } from './support/host.js';

let state: string;
let host: HostProcess;

beforeEach(async () => {
  state = await mkdtemp(join(tmpdir(), 'vmcall-memory-'));
  host = await HostProcess.start(state);
});
afterEach(async () => {
  await host.kill();
  await rm(state, { recursive: true, force: true });
});

const MiB = 2 ** 20;
const domainOf = (index: number) => `00000000-0000-4000-8000-${String(index).padStart(12, '0')}`;

/** Guests that say hello, then all that the limits allow and more, without ever reading or ending a message. */
async function assault(round: number): Promise<void> {
  const store = new EnrolmentStore(state);
  const url = `wss://127.0.0.1:${host.port}/guest`;
  const guests = await Promise.all(
    Array.from({ length: 40 }, async (_none, index) => {
      const domain = domainOf(round * 100 + index);
      const guest = await RawGuest.connect(url, { authorization: basic(domain, await store.issue(domain)) });
      return guest.hello(domain);
    }),
  );
  const sockets: Socket[] = [];
  for (let i = 0; i < 400; i++) {
    const socket = connectTcp(host.port, '127.0.0.1', () => socket.write(Buffer.alloc(16_384, 'x')));
    socket.on('error', () => {});
    sockets.push(socket);
  }
  const large = JSON.stringify({
    type: 'error',
    id: 1,
    code: 'BUSY',
    message: 'x'.repeat(limits.frameBytes - 100),
  });
  for (const [index, guest] of guests.entries()) {
    guest.socket.pause();
    // A third never ends its message, a third sends what the schema refuses, a third floods.
    if (index % 3 === 0) guest.socket.send('x'.repeat(limits.frameBytes - 100), { fin: false });
    else for (let i = 0; i < 200; i++) guest.say(index % 3 === 1 ? large : { type: 'health' });
  }
  await new Promise((resolve) => setTimeout(resolve, 1500));
  for (const guest of guests) guest.socket.terminate();
  for (const socket of sockets) socket.destroy();
  await expect.poll(async () => (await host.memory()).connections, { timeout: 20_000 }).toBe(0);
}

test("the host's memory is bounded, whatever guests and strangers send", { timeout: 120_000 }, async () => {
  await assault(0);
  const { rss: once } = await host.memory();
  for (let round = 1; round <= 3; round++) await assault(round);
  const { rss: often } = await host.memory();
  // Each round sends more than 100 MiB; what stays is the heap's own slack.
  expect(often).toBeLessThan(256 * MiB);
  expect(often - once).toBeLessThan(80 * MiB);
});
