// SPDX-License-Identifier: Apache-2.0
import { setTimeout as delay } from 'node:timers/promises';
import { ControlClient } from '../control/client.js';
import { VmcallError } from '../support/errors.js';
import type { Progress } from '../support/progress.js';
import { AgentProcess, forkGuests } from './agent-process.js';
import { guestsOpen } from './guests-open.js';
import type { FromGuests, GuestsOrder } from './messages.js';
import { StandInHost } from './stand-in-host.js';

/** A host agent that knows so many guests, in processes of their own. */
export interface Crowd {
  host: StandInHost;
  agent: AgentProcess;
  client: ControlClient;
  /** From the first guest's connection to the last one's session. */
  connectS: number;
  /** Sessions that ended, or could not be had, so far. */
  lost: readonly string[];
}

/** One wake each 350 us, as the deck's traffic makes them. */
const wakesASecond = 2857;
const patienceMs = 60_000;

/** @param observe watch the event loop's delay, too, which costs CPU time */
export async function withCrowd<T>(
  { guests: count, observe }: { guests: number; observe: boolean },
  progress: Progress,
  work: (crowd: Crowd) => Promise<T>,
): Promise<T> {
  progress.step(`a host with ${count} domains, each with an enrolled guest`);
  const host = await StandInHost.create(count);
  const guests = forkGuests();
  let agent: AgentProcess | undefined;
  try {
    const started = await AgentProcess.start(host, observe);
    agent = started.agent;
    const lost: string[] = [];
    guests.on('message', (message: FromGuests) => {
      if (message.type === 'lost') lost.push(`${message.uuid}: ${message.why}`);
    });
    progress.step('their guests connect');
    const before = performance.now();
    const opened = guestsOpen(guests);
    const { fingerprint, domains } = host;
    const url = `wss://127.0.0.1:${started.port}/guest`;
    guests.send({ url, fingerprint, guests: domains, wakes: wakesASecond } satisfies GuestsOrder);
    await opened;
    const connectS = (performance.now() - before) / 1000;
    const client = new ControlClient(host.socket);
    await allKnown(client, count, lost);
    return await work({ host, agent, client, connectS, lost });
  } finally {
    guests.disconnect();
    await agent?.stop();
    await host.remove();
  }
}

/** Until the agent has seen every domain, and each guest's health. */
async function allKnown(client: ControlClient, count: number, lost: readonly string[]): Promise<void> {
  const until = performance.now() + patienceMs;
  for (;;) {
    const { domains } = await client.status();
    const known = domains.filter(({ guest, phase }) => guest?.health && phase === 'reached').length;
    if (known === count) return;
    if (performance.now() > until)
      throw new VmcallError(
        'BENCH_FAILED',
        `after ${patienceMs / 1000} s the host agent knows ${known} of ${count} guests; lost: ${lost.slice(0, 3).join('; ') || 'none'}`,
        'Is there memory and CPU time for them? See the log above',
      );
    await delay(500);
  }
}
