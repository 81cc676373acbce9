// SPDX-License-Identifier: Apache-2.0
import { z } from 'zod';
import type { Result } from './schema.js';

/** A maximum that a platform's test allows, or one that a platform published of itself. */
interface PlatformLimit {
  platform: string;
  tool: 'cyclictest' | 'oslat';
  us: number;
  source: string;
}

const rhel = 'Red Hat Enterprise Linux for Real Time: certification and tuning guides';

/** By the names that `check --limits` takes. Maxima, us, that a run of the tool must not pass. */
export const limitSets = {
  'rhel-rt': [
    { platform: 'RHEL for Real Time', tool: 'cyclictest', us: 40, source: rhel },
    { platform: 'RHEL for Real Time', tool: 'oslat', us: 20, source: rhel },
  ],
  kubevirt: [
    {
      platform: "KubeVirt's real-time check",
      tool: 'oslat',
      us: 40,
      source: 'kubevirt: realtime checkup, oslatLatencyThresholdMicroSeconds (default)',
    },
  ],
  seapath: [
    { platform: 'SEAPATH', tool: 'cyclictest', us: 100, source: "SEAPATH's continuous integration tests" },
  ],
} as const satisfies Record<string, readonly PlatformLimit[]>;
export type LimitSet = keyof typeof limitSets;
export const limitNames = Object.keys(limitSets) as LimitSet[];

/** What a platform measured of itself: no limit, but what others compare with. */
export const publishedMaxima: readonly PlatformLimit[] = [
  ['5.10', 4.46] as const,
  ['6.6', 3.93] as const,
  ['6.12', 8.83] as const,
].map(([kernel, us]) => ({
  platform: `StarlingX's RT host, kernel ${kernel}, as measured there`,
  tool: 'cyclictest',
  us,
  source: 'StarlingX: performance results of its RT kernels',
}));

export const platformLimits: readonly PlatformLimit[] = Object.values(limitSets).flat();

/** Beside each of these figures, wherever it is shown. */
export const whatLimitsMean =
  'cyclictest measures how late a timer’s thread runs, and oslat the time that others stole from a busy loop. Neither is a device’s wake, which is what vmcall measures: a host that keeps these limits may still wake late for a NIC, and the figures are not to be compared.';

/** The tool whose figures a document holds, by what each of its latencies is. */
export function toolOf({ quantity }: Pick<Result, 'quantity'>): PlatformLimit['tool'] | null {
  return quantity === 'timer-wake-up' ? 'cyclictest' : quantity === 'stolen-time' ? 'oslat' : null;
}

/** How a note of a thread begins whose latencies were all above the tool's histogram: it is in no path. */
export const leftOutAbove = 'Left out, as all their latencies were above the histogram';

export const judgementSchema = z.strictObject({
  format: z.literal('vmcall-limits'),
  version: z.literal(1),
  limits: z.string(),
  /** Something was judged, each path of it keeps its limit, and nothing stands against that. */
  within: z.boolean(),
  judged: z.array(
    z.strictObject({
      source: z.string(),
      path: z.string(),
      tool: z.enum(['cyclictest', 'oslat']),
      samples: z.int().min(0),
      /** Exact, us. */
      max_us: z.number(),
      limit_us: z.number(),
      within: z.boolean(),
    }),
  ),
  /** Why it cannot be called within, beside what passes its limit. */
  objections: z.array(z.string()),
  /** Tools for which there is a limit too, and no result was given. */
  not_given: z.array(z.string()),
  meaning: z.string(),
});
export type Judgement = z.infer<typeof judgementSchema>;

interface Given {
  source: string;
  result: Result;
}

/** Judges imported results by a platform's limits, which are of the maximum; how long a run was is the platform's to say. */
export function judgeLimits(name: LimitSet, given: readonly Given[]): Judgement {
  const limits: readonly PlatformLimit[] = limitSets[name];
  const judged = given.flatMap(({ source, result }) => {
    const tool = toolOf(result);
    const limit = limits.find((one) => one.tool === tool);
    if (!limit) return [];
    return result.paths.map((path) => ({
      source,
      path: path.name,
      tool: limit.tool,
      samples: path.received,
      max_us: path.latency_ns.max / 1000,
      limit_us: limit.us,
      within: path.received > 0 && path.latency_ns.max <= limit.us * 1000,
    }));
  });
  const objections = given.flatMap((one) => objectionsTo(one, limits));
  const within = judged.length > 0 && objections.length === 0 && judged.every((path) => path.within);
  const not_given = limits
    .map(({ tool }) => tool)
    .filter((tool) => !judged.some((path) => path.tool === tool));
  return {
    format: 'vmcall-limits',
    version: 1,
    limits: name,
    within,
    judged,
    objections,
    not_given,
    meaning: whatLimitsMean,
  };
}

function objectionsTo({ source, result }: Given, limits: readonly PlatformLimit[]): string[] {
  const tool = toolOf(result);
  if (tool === null)
    return [
      `${source} holds no timers' lateness and no stolen time (${result.quantity}): these limits are for those alone`,
    ];
  if (!limits.some((one) => one.tool === tool))
    return [`${source} is of ${tool}, for which there is no limit here`];
  const emulated = result.clock === 'instruction' || result.clock === 'realtime';
  return [
    ...(result.partial ? [`${source} is of a run that ended early: ${result.partial.why}`] : []),
    ...(emulated ? [`${source} was measured on an emulated machine`] : []),
    ...result.notes.filter((note) => note.startsWith(leftOutAbove)).map((note) => `${source}: ${note}`),
  ];
}
