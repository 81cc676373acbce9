// SPDX-License-Identifier: Apache-2.0
import { z } from 'zod';
import { resultSchema } from '../../../results/schema.js';

const { made, made_by, clock, retries, failed_attempts, platform, repeat } = resultSchema.shape;

/** What every table of the lab says of itself, beside its rows. */
export const headerSchema = z.strictObject({
  made,
  made_by,
  clock,
  retries,
  failed_attempts,
  platform,
  repeat,
  traffic: z.strictObject({
    /** Of each round. */
    packets: z.int().min(1),
    interval_us: z.number().positive(),
    idle_threshold_us: z.number().min(0),
    /** Where it is reported who had the CPU; null where that is not reported, or in the same rounds. */
    cpu_idle_threshold_us: z.number().min(0).nullable(),
    seed: z.int().min(0),
  }),
});
export type Header = z.infer<typeof headerSchema>;

/** Attempts that failed before, as a line; none where there were none. */
export function failedAttempts({ retries, failed_attempts }: Header): string[] {
  if (retries === 0) return [];
  return ['', `${retries} attempt(s) failed before: ${failed_attempts.map(({ why }) => why).join('; ')}`];
}
