// SPDX-License-Identifier: Apache-2.0
import { setTimeout as delay } from 'node:timers/promises';
import type { Progress } from '../support/progress.js';
import { type Crowd, withCrowd } from './crowd.js';

export interface AgentOverhead {
  guests: number;
  /** What the agent counted of their reports while its CPU time was. */
  reports: number;
  /** Of one CPU, user and system. */
  cpuShare: number;
}

/** What starts only once is not what it costs to go on, s. */
const warmUpMostS = 10;
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
  return withCrowd({ guests, observe: false }, progress, async ({ agent }) => {
    progress.step(`each sends a histogram a second, for ${seconds} s`);
    const until = performance.now() + patienceMs;
    while ((await reportsOf(agent)) < guests && performance.now() < until) await delay(200);
    const warmUpS = Math.min(warmUpMostS, seconds / 3);
    await delay(warmUpS * 1000);
    const reports = await reportsOf(agent);
    const before = await agent.figures();
    const began = performance.now();
    await delay((seconds - warmUpS) * 1000);
    const after = await agent.figures();
    const cpuShare = (after.cpuMs - before.cpuMs) / (performance.now() - began);
    return { guests, reports: (await reportsOf(agent)) - reports, cpuShare };
  });
}

/** All that came since the agent began. */
async function reportsOf(agent: Crowd['agent']): Promise<number> {
  const text = await (await fetch(agent.metrics)).text();
  const values = text.matchAll(/^vmcall_guest_reports_total\{[^}]*\} (\d+)$/gm);
  return [...values].reduce((sum, [, value]) => sum + Number(value), 0);
}
