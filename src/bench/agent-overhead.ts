// SPDX-License-Identifier: Apache-2.0
import { setTimeout as delay } from 'node:timers/promises';
import type { Progress } from '../support/progress.js';
import { type Crowd, withCrowd } from './crowd.js';

export interface AgentOverhead {
  guests: number;
  /** What the agent counted of their reports while its CPU time was. */
  reports: number;
  /** Of one CPU, user and system: once the agent runs for minutes. */
  cpuShare: number;
  /** The same as soon as every guest reports: most of the agent's code is interpreted then. */
  coldShare: number;
}

/** The agent is watched for so long before it is warm, s. */
const coldMostS = 20;
/**
 * V8 compiles a function once it ran often, in steps, and again where it guessed wrong. Reports at the shortest interval
 * take the agent there in a minute: as many as these guests' own send in ten.
 */
const warmUp = { mostS: 60, interval_ms: 100 };
/** From the warm-up's end until each guest's standing measurement goes on, s. */
const settleS = 3;
const patienceMs = 60_000;

/**
 * What the host agent takes all day: each guest's standing measurement, a histogram a second, for whoever looks at
 * `vmcall top` or scrapes. Nobody does meanwhile.
 */
export function measureAgentOverhead(
  guests: number,
  seconds: number,
  progress: Progress,
): Promise<AgentOverhead> {
  return withCrowd({ guests, observe: false }, progress, async (crowd) => {
    const { agent, client, host } = crowd;
    const until = performance.now() + patienceMs;
    while ((await reportsOf(agent)) < guests && performance.now() < until) await delay(200);
    progress.step('each sends a histogram a second');
    const cold = await watch(crowd, Math.min(coldMostS, seconds));
    const warmUpS = Math.min(warmUp.mostS, 2 * seconds);
    progress.step(`each sends ten a second, for ${warmUpS} s, until the agent's code is compiled`);
    const { interval_ms } = warmUp;
    const order = { seconds: warmUpS, interval_ms, domains: host.domains.map(({ uuid }) => uuid) };
    for await (const _ of client.measure(order, new AbortController().signal));
    await delay(settleS * 1000);
    progress.step(`each sends a histogram a second, for ${seconds} s`);
    return { guests, ...(await watch(crowd, seconds)), coldShare: cold.cpuShare };
  });
}

async function watch(
  { agent }: Crowd,
  seconds: number,
): Promise<Pick<AgentOverhead, 'reports' | 'cpuShare'>> {
  const reports = await reportsOf(agent);
  const before = await agent.figures();
  const began = performance.now();
  await delay(seconds * 1000);
  const after = await agent.figures();
  const cpuShare = (after.cpuMs - before.cpuMs) / (performance.now() - began);
  return { reports: (await reportsOf(agent)) - reports, cpuShare };
}

/** All that came since the agent began. */
async function reportsOf(agent: Crowd['agent']): Promise<number> {
  const text = await (await fetch(agent.metrics)).text();
  const values = text.matchAll(/^vmcall_guest_reports_total\{[^}]*\} (\d+)$/gm);
  return [...values].reduce((sum, [, value]) => sum + Number(value), 0);
}
