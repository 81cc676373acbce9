// SPDX-License-Identifier: Apache-2.0
import { setTimeout as delay } from 'node:timers/promises';
import type { Progress } from '../support/progress.js';
import type { LogLine } from './agent-process.js';
import { type Crowd, withCrowd } from './crowd.js';
import type { AgentFigures } from './messages.js';
import { ReportCount } from './report-count.js';

export interface ScaleOptions {
  guests: number;
  /** All guests report for this long; half of it before they are switched. */
  seconds: number;
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

const patienceMs = 60_000;

/** All guests of one host agent report to one run, and are switched meanwhile; throws only if it cannot be run at all. */
export async function runScale({ guests, seconds }: ScaleOptions, progress: Progress): Promise<ScaleRun> {
  return withCrowd({ guests, observe: true }, progress, (crowd) => measure(crowd, seconds, progress));
}

async function measure(crowd: Crowd, seconds: number, progress: Progress): Promise<ScaleRun> {
  const { agent, client, connectS, lost } = crowd;
  const { domains } = crowd.host;
  progress.step(`each sends a histogram a second, for ${seconds} s`);
  const reports = new ReportCount();
  const allStarted = new Promise<void>((resolve) => {
    reports.onStarted = (started) => started === domains.length && resolve();
  });
  const uuids = domains.map(({ uuid }) => uuid);
  // Who measures has the domains to itself, and switches them by that; the agent ends with the run.
  const lease = await client.lease(uuids, 'bench');
  const measuring = (async () => {
    const order = { domains: uuids, lease, seconds, interval_ms: 1000 };
    for await (const event of client.measure(order, new AbortController().signal)) reports.take(event);
  })();
  await Promise.race([allStarted, measuring, delay(patienceMs)]);
  const atStart = await agent.figures('reset');
  const began = performance.now();
  await Promise.all([delay((seconds / 2) * 1000), scrape(agent)]);
  const atSwitch = await agent.figures();
  const steadyS = (performance.now() - began) / 1000;
  const cpuShare = (atSwitch.cpuMs - atStart.cpuMs) / 1000 / steadyS;
  const steady = { ...atSwitch, seconds: steadyS, cpuShare };

  const switching = await switchAll(crowd, lease);
  await measuring;
  const whole = await agent.figures();
  const sessionsLost = [...lost];
  return { guests: domains.length, connectS, steady, whole, ...switching, reports, sessionsLost };
}

/** As `vmcall enable --all` does; done when the agent's log says of each domain that it is reached. */
async function switchAll(
  { client, agent, host: { domains } }: Crowd,
  lease: string,
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
  const uuids = domains.map(({ uuid }) => uuid);
  const [refusal] = (await client.desireEach(uuids, 'vmcall', lease)).values();
  if (refusal) throw refusal;
  const desireS = (performance.now() - began) / 1000;
  const switchS = await Promise.race([allReached, delay(patienceMs, null)]);
  return { switchS, desireS, switched: reached.size };
}

/** As Prometheus does; the agent writes it while the guests report. */
async function scrape(agent: Crowd['agent']): Promise<void> {
  await (await fetch(agent.metrics)).text();
}
