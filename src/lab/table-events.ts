// SPDX-License-Identifier: Apache-2.0
import { z } from 'zod';
import { generatorResultSchema } from '../results/generator-result.js';

/** DPDK's working modes, by where the program is and how it waits. */
export const modeNames = ['native-poll', 'native-interrupt', 'poll', 'injected', 'vmcall'] as const;
export type ModeName = (typeof modeNames)[number];

/** Whether the DPDK CPU has another runnable process. */
export const sharings = ['dedicated', 'shared'] as const;
export type Sharing = (typeof sharings)[number];

/** What a burst is for: latency as the program is used, or who had the CPU, the program sleeping at once. */
export const purposes = ['latency', 'cpu'] as const;
export type Purpose = (typeof purposes)[number];

/** One burst in one working mode. */
export const modeSchema = z.object({
  type: z.literal('mode'),
  mode: z.enum(modeNames),
  cpu: z.enum(sharings),
  purpose: z.enum(purposes),
  generator: generatorResultSchema,
});

/** How guests that share one pCPU wait for packets. */
export const densityPaths = ['poll', 'injected', 'vmcall'] as const;
export type DensityPath = (typeof densityPaths)[number];

/** When packets come: to one guest after the other, evenly, or to all at once. */
export const arrivals = ['in-turn', 'at-once'] as const;
export type Arrival = (typeof arrivals)[number];

/** One burst to all guests of a pCPU. */
export const densitySchema = z.object({
  type: z.literal('density'),
  path: z.enum(densityPaths),
  guests: z.int().min(1),
  arrival: z.enum(arrivals),
  generator: generatorResultSchema,
});

/** Where the program of the before/after table is. */
export const places = ['host', 'vm'] as const;
export type ProgramPlace = (typeof places)[number];

/** One burst with a set of knobs in force, all others as an untuned host has them. */
export const tunedSchema = z.object({
  type: z.literal('tuned'),
  place: z.enum(places),
  knobs: z.array(z.string()),
  generator: generatorResultSchema,
});
export type Tuned = z.infer<typeof tunedSchema>;

/** What `vmcall cstates` says of the emulated host: its words and its exit code. */
export const cStatesSchema = z.object({
  type: z.literal('c-states'),
  exitCode: z.int(),
  message: z.string(),
});
