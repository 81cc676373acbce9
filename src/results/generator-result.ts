// SPDX-License-Identifier: Apache-2.0
import { z } from 'zod';
import { latencySchema } from './schema.js';

const count = z.int().min(0);

/** What `vmcall-generator --json` prints: one burst of traffic. Times in ns. */
export const generatorResultSchema = z.looseObject({
  sent: count,
  received: count,
  lost: count,
  duplicate: count,
  late: count,
  reordered: count,
  /** Sent later than planned, so that `quiet` was kept after a late reply. */
  postponed: count.default(0),
  /** Null where nothing came back. */
  rtt_ns: z.looseObject(latencySchema.shape).nullable(),
  /** Packets sent before the count begins, by rule. */
  warmup: count,
  /** HDR histogram of the round trips, V2 compressed, base64. */
  histogram: z.string(),
  /** With --busy-cpu: what a busy process got while packets flowed, ns, and the rounds of its loop it did in it. */
  busy: z.object({ cpu_ns: z.number().min(0), wall_ns: z.number().positive(), work: count }).optional(),
  /** With --watch-cpu: how long that CPU was idle while packets flowed, ns. */
  watched: z.object({ idle_ns: z.number().min(0), wall_ns: z.number().positive() }).optional(),
  pattern: z.string(),
  seed: z.number(),
});

export type GeneratorResult = z.infer<typeof generatorResultSchema>;
