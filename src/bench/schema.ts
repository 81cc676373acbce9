// SPDX-License-Identifier: Apache-2.0
import { z } from 'zod';
import { energySchema } from '../results/energy.js';
import { targetSchema } from '../results/schema.js';

const delaySchema = z.strictObject({ p50: z.number(), p99: z.number(), max: z.number() });
const bytes = z.int().min(0);

/** Beside which everything ran: CPUs, and the load of the minute before. */
const machineSchema = z.strictObject({ cpus: z.int(), load: z.number(), node: z.string() });
const share = z.number().min(0);

/** Of the whole host; or why that could not be measured. */
const energy = { energy: energySchema.optional(), energy_absent: z.string().max(500).optional() };

/** What `vmcall bench overhead --json` prints. */
export const overheadSchema = z.strictObject({
  format: z.literal('vmcall-bench-overhead'),
  version: z.literal(2),
  seconds: z.number(),
  /** Shares are of one CPU, by CPU time. `cold`: before V8 compiled what runs often, which takes it minutes. */
  host_agent: z.strictObject({
    guests: z.int(),
    reports: z.int().min(0),
    cpu_share: share,
    cold_cpu_share: share,
  }),
  /** With its telemetry client, without the dataplane. */
  guest_agent: z.strictObject({ reports: z.int().min(0), wakes: z.int().min(0), cpu_share: share }),
  /** Instructions of the dataplane's counting; null where there is no valgrind to count them. */
  dataplane: z.strictObject({ wake: z.number(), packet: z.number() }).nullable(),
  ...energy,
  machine: machineSchema,
  targets: z.array(targetSchema),
});
export type Overhead = z.infer<typeof overheadSchema>;

/** What `vmcall bench scale --json` prints. */
export const scaleSchema = z.strictObject({
  format: z.literal('vmcall-bench-scale'),
  version: z.literal(1),
  guests: z.int().min(1),
  /** From the first connection to the last session, s. */
  connect_s: z.number(),
  /**
   * Of the host agent's event loop, ms, as perf_hooks.monitorEventLoopDelay() counts it each millisecond: the one
   * that it waits for on purpose is in each value. `steady`: while all reported; `whole`: and were switched.
   */
  event_loop_delay_ms: z.strictObject({ steady: delaySchema, whole: delaySchema }),
  /** Of the host agent, of one CPU, while all reported. */
  cpu_share: z.number(),
  resident_bytes: bytes,
  resident_peak_bytes: bytes,
  /** From the first desired path set to the last guest seen on it by the agent; null if not all were. */
  switch_s: z.number().nullable(),
  switched: z.int().min(0),
  reports: z.int().min(0),
  reports_missing: z.int().min(0),
  sessions_lost: z.int().min(0),
  /** What went wrong, the first of it. */
  problems: z.array(z.string()).max(10),
  ...energy,
  machine: machineSchema,
  targets: z.array(targetSchema),
});
export type Scale = z.infer<typeof scaleSchema>;
