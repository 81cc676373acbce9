// SPDX-License-Identifier: Apache-2.0
import { z } from 'zod';

/** By their numbers (linux: include/uapi/linux/sched.h). */
export const policies = ['other', 'fifo', 'rr', 'batch', 'iso', 'idle', 'deadline'] as const;

/** A thread's scheduling: policy, and the real-time priority of fifo and rr (1 to 99; 0 for the others). */
export const schedulingSchema = z.strictObject({
  policy: z.enum(policies),
  priority: z.int().min(0).max(99),
});
export type Scheduling = z.infer<typeof schedulingSchema>;

export const isRealTime = ({ policy }: Scheduling) => policy === 'fifo' || policy === 'rr';

/** Whom a thread keeps from running: all of a lower rank. Ordinary ones 0, deadline above every priority (man sched(7)). */
export const schedulingRank = ({ policy, priority }: Scheduling) => (policy === 'deadline' ? 100 : priority);

/** As `fifo:10`, or `other`. */
export function formatScheduling({ policy, priority }: Scheduling): string {
  return priority > 0 ? `${policy}:${priority}` : policy;
}

/** The inverse of `formatScheduling`. */
export function parseScheduling(text: string): Scheduling {
  const [policy, priority = '0'] = text.split(':');
  return schedulingSchema.parse({ policy, priority: Number(priority) });
}
