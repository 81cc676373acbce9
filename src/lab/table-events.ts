// SPDX-License-Identifier: Apache-2.0
import { z } from 'zod';
import { generatorResultSchema } from '../generator/result.js';

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
