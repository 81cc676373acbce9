// SPDX-License-Identifier: Apache-2.0
import { z } from 'zod';
import { partsSchema, planSchema } from './plan.js';

/**
 * What L0 tells L1 at the stages at which it waits, a line each: first `startOrder` to its /init, then those to our
 * program. Nothing of a run is on the kernel's command line, so that runs may share the image of a machine.
 */
export const orderSchema = z.discriminatedUnion('order', [
  /** Start the guest, and an agent on each side. */
  z.strictObject({ order: z.literal('stand-up'), parts: partsSchema }),
  /** Go through the plan's scenario. The time is for a machine that was restored from an image: its own stood still. */
  z.strictObject({ order: z.literal('run'), plan: planSchema, now: z.int().positive() }),
]);
export type Order = z.infer<typeof orderSchema>;

/**
 * To host/init.sh: the time, the archive to unpack as the root (none: this machine's own, over 9p), and the script to
 * go on with. @param now s since 1970
 */
export const startOrder = (now: number, root: string | undefined, script: string): string =>
  [now, root ?? '-', script].join('\t');

/** The time, s since 1970. */
export const clockTime = (): number => Math.floor(Date.now() / 1000);
