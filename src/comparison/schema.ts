// SPDX-License-Identifier: Apache-2.0
import { z } from 'zod';

const count = z.int().min(0);
const both = <T extends z.ZodType>(value: T) => z.tuple([value, value]);

export const differenceSchema = z.strictObject({
  statistic: z.enum(['p50', 'p99', 'max']),
  first_ns: z.number(),
  second_ns: z.number(),
  /** Second less first. */
  difference_ns: z.number(),
  /** 95 %, by bootstrap. */
  interval_ns: both(z.number()),
  /** A difference up to this is not taken for one. */
  tolerance_ns: z.number().min(0),
  /** Of the second against the first. */
  verdict: z.enum(['faster', 'slower', 'no-difference-shown', 'not-judged']),
  /** Null where it is judged. `spread-unknown`: how far rounds differ is not known. */
  why_not_judged: z.enum(['maximum', 'few-samples', 'spread-unknown']).nullable(),
});
export type DifferenceResult = z.infer<typeof differenceSchema>;

/** Where a side comes from. */
export const sideSchema = z.strictObject({
  source: z.string(),
  made: z.string(),
  path: z.string(),
  title: z.string(),
  received: count,
  lost: count,
  rounds: count,
});
export type Side = z.infer<typeof sideSchema>;

export const pairSchema = z.strictObject({
  first: sideSchema,
  second: sideSchema,
  differences: z.array(differenceSchema),
  /** What was drawn again for the intervals. */
  unit: z.enum(['packets', 'rounds', 'round-pairs']),
  resamples: count,
  seed: count,
  /** Mann-Whitney, of packets, or of the rounds' medians where rounds were drawn. */
  rank_test: z.strictObject({
    u: z.number(),
    /** The chance that a sample of the second side is slower than one of the first. */
    second_slower: z.number().min(0).max(1),
    z: z.number().nullable(),
    /** Two-sided; 1e-6 stands for that and anything less. */
    p: z.number().nullable(),
    why_not: z.string().nullable(),
  }),
  /** What a latency costs, of both sides; null where not measured. */
  beside: z.strictObject({
    exits_per_packet: both(z.number().nullable()),
    injected_interrupts_per_packet: both(z.number().nullable()),
    cpu_handed_back: both(z.number().nullable()),
  }),
  /** The outcome in words, and how sure it is. */
  verdict: z.string(),
  caveats: z.array(z.string()),
});
export type Pair = z.infer<typeof pairSchema>;

/** Something in which two runs are unlike, so that a difference in latency may come from it. */
export const unlikeSchema = z.strictObject({ what: z.string(), first: z.string(), second: z.string() });
export type Unlike = z.infer<typeof unlikeSchema>;

/** What `vmcall compare --json` prints. */
export const comparisonSchema = z.strictObject({
  format: z.literal('vmcall-comparison'),
  version: z.literal(1),
  confidence: z.literal(0.95),
  /** Not empty only with --force. */
  unlike: z.array(unlikeSchema),
  /** What neither run says, and what differs without making them unlike. */
  notes: z.array(z.string()),
  pairs: z.array(pairSchema),
});
export type Comparison = z.infer<typeof comparisonSchema>;
