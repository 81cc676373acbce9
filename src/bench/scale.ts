// SPDX-License-Identifier: Apache-2.0
import { setTimeout as delay } from 'node:timers/promises';
import { ControlClient } from '../../host-agent/control/client.js';
import { VmcallError } from '../support/errors.js';
import type { Progress } from '../support/progress.js';
import { AgentProcess, forkGuests, type LogLine } from './agent-process.js';
import { guestsOpen } from './guests-open.js';
import type { AgentFigures, FromGuests, GuestsOrder } from './messages.js';
import { ReportCount } from './report-count.js';
import { StandInHost } from './stand-in-host.js';

export interface ScaleOptions {
  guests: number;
  /** All guests report for this long; half of it before they are switched. */
  seconds: number;
  /** Watch the event loop, and switch all guests in the middle. */
  observe: boolean;
}

export interface ScaleRun {
  guests: number;
  /** From the first guest's connection to the last one's session. */
  connectS: number;
  /** While all guests reported, on the injected path. */
  steady: AgentFigures & { seconds: number; cpuShare: number };
  /** The same and what followed: the switch of all, and reports on the VM-call path. */
  whole: AgentFigures;
  /** From the first desired path set until the agent saw the last guest on it; null if it was not all. */
  switchS: number | null;
  /** From there until the last desired path was set. */
  desireS: number | null;
  switched: number;
  reports: ReportCount;
  sessionsLost: readonly string[];
}

/** One wake each 350 us, as the deck's traffic makes them. */
const wakesASecond = 2857;
/** Commands at once: each has a connection of its own, and the agent takes 32. */
const commandsAtOnce = 16;
const patienceMs = 60_000;
/** What starts only once is not what it costs to go on, s. */
const warmUpMostS = 10;

/** Runs the host agent with so many guests, and gives what was seen; throws only if it cannot be run at all. */
export async function runScale(options: ScaleOptions, progress: Progress): Promise<ScaleRun> {
  progress.step(`a host with ${options.guests} domains, each with an enrolled guest`);
  const host = await StandInHost.create(options.guests);
  const guests = forkGuests();
  let agent: AgentProcess | undefined;
  try {
    const started = await AgentProcess.start(host, options.observe);
    agent = started.agent;
    return await measure(options, host, agent, guests, started.port, progress);
  } finally {
    guests.disconnect();
    await agent?.stop();
    await host.remove();
  }
}

async function measure(
  { guests: count, seconds, observe }: ScaleOptions,
  host: StandInHost,
  agent: AgentProcess,
  guests: ReturnType<typeof forkGuests>,
  port: number,
  progress: Progress,
): Promise<ScaleRun> {
  const client = new ControlClient(host.socket);
  const lost: string[] = [];
  const stopped = new AbortController();
  guests.on('message', (message: FromGuests) => {
    if (message.type === 'lost' && !stopped.signal.aborted) lost.push(`${message.uuid}: ${message.why}`);
  });

  progress.step('their guests connect');
  const before = performance.now();
  const opened = guestsOpen(guests);
  const url = `wss://127.0.0.1:${port}/guest`;
  const { fingerprint, domains } = host;
  guests.send({ url, fingerprint, guests: domains, wakes: wakesASecond } satisfies GuestsOrder);
  await opened;
  const connectS = (performance.now() - before) / 1000;
  await allKnown(client, count, lost);

  progress.step(`each sends a histogram a second, for ${seconds} s`);
  const reports = new ReportCount();
  const allStarted = new Promise<void>((resolve) => {
    reports.onStarted = (started) => started === count && resolve();
  });
  const measuring = (async () => {
    const order = { domains: domains.map(({ uuid }) => uuid), seconds, interval_ms: 1000 };
    for await (const event of client.measure(order, stopped.signal)) reports.take(event);
  })();
  await Promise.race([allStarted, measuring, delay(patienceMs)]);
  const warmUpS = observe ? 0 : Math.min(warmUpMostS, seconds / 3);
  await delay(warmUpS * 1000);
  const atStart = await agent.figures('reset');
  const began = performance.now();
  await delay((observe ? seconds / 2 : seconds - 1 - warmUpS) * 1000);
  const atSwitch = await agent.figures();
  const steadyS = (performance.now() - began) / 1000;
  const cpuShare = (atSwitch.cpuMs - atStart.cpuMs) / 1000 / steadyS;
  const steady = { ...atSwitch, seconds: steadyS, cpuShare };

  const switching = observe ? await switchAll(client, agent, host) : noSwitch;
  await measuring;
  const whole = await agent.figures();
  stopped.abort();
  return {
    ...{ guests: count, connectS, steady, whole, ...switching },
    ...{ reports, sessionsLost: lost },
  };
}

const noSwitch = { switchS: null, desireS: null, switched: 0 };

/** Each domain's desired path is set as `vmcall enable` does; done when the agent's log says of each that it is reached. */
async function switchAll(
  client: ControlClient,
  agent: AgentProcess,
  { domains }: StandInHost,
): Promise<Pick<ScaleRun, 'switchS' | 'desireS' | 'switched'>> {
  const reached = new Set<string>();
  const began = performance.now();
  const allReached = new Promise<number>((resolve) => {
    agent.on('line', ({ message, domain, desired }: LogLine) => {
      if (message !== 'desired path reached' || desired !== 'vmcall' || domain === undefined) return;
      reached.add(domain);
      if (reached.size === domains.length) resolve((performance.now() - began) / 1000);
    });
  });
  const waiting = domains.values();
  const each = async () => {
    for (const { uuid } of waiting) await client.desire(uuid, { path: 'vmcall' });
  };
  await Promise.all(Array.from({ length: commandsAtOnce }, each));
  const desireS = (performance.now() - began) / 1000;
  const switchS = await Promise.race([allReached, delay(patienceMs, null)]);
  return { switchS, desireS, switched: reached.size };
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
