// SPDX-License-Identifier: Apache-2.0
import type { TargetResult } from '../results/schema.js';
import { below, roundTo } from './judge.js';
import type { Machine } from './machine.js';
import type { ScaleRun } from './scale.js';
import { type Scale, scaleSchema } from './schema.js';

const MB = 1_000_000;

/** What one host agent must carry with a thousand guests, each sending a histogram a second. */
export const scaleTargets = { delayP99Ms: 20, residentBytes: 250 * MB, switchS: 2 } as const;

export function scaleDocument(run: ScaleRun, machine: Machine): Scale {
  const rounded = ({ p50, p99, max }: { p50: number; p99: number; max: number }) => ({
    p50: roundTo(p50),
    p99: roundTo(p99),
    max: roundTo(max),
  });
  return scaleSchema.parse({
    format: 'vmcall-bench-scale',
    version: 1,
    guests: run.guests,
    connect_s: roundTo(run.connectS),
    event_loop_delay_ms: {
      steady: rounded(run.steady.eventLoopDelay),
      whole: rounded(run.whole.eventLoopDelay),
    },
    cpu_share: roundTo(run.steady.cpuShare, 4),
    resident_bytes: run.whole.rss,
    resident_peak_bytes: run.whole.peakRss,
    switch_s: run.switchS === null ? null : roundTo(run.switchS),
    switched: run.switched,
    reports: run.reports.came,
    reports_missing: run.reports.missing,
    sessions_lost: run.sessionsLost.length,
    problems: [...run.reports.failed, ...run.sessionsLost].slice(0, 10),
    machine,
    targets: judge(run),
  } satisfies Scale);
}

function judge(run: ScaleRun): TargetResult[] {
  const { delayP99Ms, residentBytes, switchS } = scaleTargets;
  const none = (name: string, measured: number): TargetResult => ({
    name,
    limit: 'none',
    measured,
    reached: measured === 0,
  });
  return [
    below("the host agent's event-loop delay, p99, ms", run.whole.eventLoopDelay.p99, delayP99Ms),
    below("the host agent's resident memory at its peak, MB", run.whole.peakRss / MB, residentBytes / MB),
    below('all switched, s', run.switchS, switchS),
    none('reports lost', run.reports.missing + run.reports.failed.length),
    none('sessions lost', run.sessionsLost.length),
  ];
}
