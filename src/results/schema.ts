// SPDX-License-Identifier: Apache-2.0
import { z } from 'zod';
import { energySchema } from './energy.js';

const count = z.int().min(0);
const perPacket = z.number().min(0);
const isAscending = (values: readonly number[]) =>
  values.every((value, index) => index === 0 || value >= (values[index - 1] ?? 0));
/** HDR histogram, V2 compressed, base64. */
const histogram = z.string().max(4 * 2 ** 20);

/** Times in ns. The exact minimum, average and maximum; percentiles from the HDR histogram. */
export const latencySchema = z
  .strictObject({
    min: z.number().min(0),
    avg: z.number(),
    p50: z.number(),
    p90: z.number(),
    p99: z.number(),
    p999: z.number(),
    max: z.number(),
  })
  .refine(({ min, p50, p90, p99, p999, max }) => isAscending([min, p50, p90, p99, p999, max]), {
    error: 'minimum, percentiles and maximum do not ascend',
  })
  // The average of many equal values is beside them by a rounding.
  .refine(({ min, avg, max }) => avg >= min * (1 - 1e-9) && avg <= max * (1 + 1e-9), {
    error: 'the average is not between minimum and maximum',
  });
export type Latency = z.infer<typeof latencySchema>;

/** One part of a packet's way from the device to the application, in that order. */
export const stageSchema = z.strictObject({ name: z.string(), ns: latencySchema });
export type Stage = z.infer<typeof stageSchema>;

/** One round of a path: what it sent and how long that took; its histogram where it was kept. */
export const roundResultSchema = z.strictObject({
  index: count,
  sent: count,
  received: count,
  latency_ns: latencySchema,
  latency_histogram: histogram.nullable(),
});

/** One path of the comparison. */
export const pathResultSchema = z.strictObject({
  name: z.string(),
  title: z.string(),
  sent: count,
  received: count,
  lost: count,
  duplicate: count,
  /** Slower than one packet interval. */
  late: count,
  reordered: count,
  /** Sent later than the pattern has it, as the reply before was late; absent where that was not counted. */
  postponed: count.optional(),
  /** The latency the document is about (`quantity`); a round trip is generator send to generator receive. */
  latency_ns: latencySchema,
  latency_histogram: histogram,
  /** Round trip less that of polling, at the same percentile. */
  added_ns: z
    .strictObject({ min: z.number(), avg: z.number(), p50: z.number(), p99: z.number(), max: z.number() })
    .nullable(),
  /** #VMEXITs of the DPDK vCPU; null where no vCPU is involved. */
  exits_per_packet: perPacket.nullable(),
  exits_by_reason: z.record(z.string(), perPacket).nullable(),
  /** Guest timer ticks on the DPDK vCPU, which are no part of the path. */
  timer_ticks_per_packet: perPacket.nullable(),
  /** Device vectors that KVM injected into the DPDK vCPU. */
  injected_interrupts_per_packet: perPacket.nullable(),
  /** Share of the DPDK CPU that a lowest-priority busy process got, with an idle threshold of 0. */
  cpu_handed_back: z.number().min(0).max(1).nullable(),
  /** From the host's ring to the program's first instruction after its wait. */
  wake_latency_ns: z.record(z.string(), z.unknown()).nullable(),
  dataplane: z.record(z.string(), z.number()),
  kvm: z.record(z.string(), z.number()),
  rounds: z.array(roundResultSchema).max(10_000),
  /** Absent where the way was not measured in parts. */
  stages: z.array(stageSchema).max(32).optional(),
});
export type PathResult = z.infer<typeof pathResultSchema>;

export const targetSchema = z.strictObject({
  name: z.string(),
  limit: z.string(),
  measured: z.number().nullable(),
  reached: z.boolean(),
});
export type TargetResult = z.infer<typeof targetSchema>;

/**
 * How latency went over the run, and what was changed while it ran. Times in s of traffic: what lay between two
 * bursts, boots for example, is left out.
 */
export const timelineSchema = z.strictObject({
  points: z
    .array(
      z.strictObject({
        path: z.string(),
        at_s: z.number().min(0),
        length_s: z.number().min(0),
        received: count,
        latency_ns: z.strictObject({ p50: z.number(), p99: z.number(), max: z.number() }),
      }),
    )
    .max(100_000),
  marks: z
    .array(
      z.strictObject({
        at_s: z.number().min(0),
        /** `switch`: another path from here on. `tuning`: a knob of the host or guest turned. */
        kind: z.enum(['switch', 'tuning']),
        text: z.string(),
      }),
    )
    .max(1000),
});
export type Timeline = z.infer<typeof timelineSchema>;

/** A run that was ended before it was done: why, and the share of its steps that were done. */
export const partialSchema = z.strictObject({ why: z.string().max(1000), done: z.number().min(0).max(1) });
export type Partial = z.infer<typeof partialSchema>;

/** One run, self-describing. */
export const resultSchema = z.strictObject({
  format: z.literal('vmcall-result'),
  version: z.literal(3),
  made: z.iso.datetime(),
  /** The program that measured. */
  made_by: z.strictObject({ name: z.string(), version: z.string() }),
  /**
   * `instruction`: QEMU TCG with -icount shift=0; one instruction is one ns, VMRUN and #VMEXIT too. `realtime`:
   * emulated, with no meaning as time. `unknown`: of another tool's file that does not say.
   */
  clock: z.enum(['instruction', 'realtime', 'nested-hardware', 'bare-metal', 'unknown']),
  /**
   * What every latency here is: a packet's round trip, from a NIC's doorbell to the application, how late a timer's
   * thread ran (cyclictest), or how long a step of a busy loop took (oslat).
   */
  quantity: z.enum(['round-trip', 'wake-latency', 'timer-wake-up', 'stolen-time', 'unknown']),
  /** The least difference the measuring program distinguished, ns. */
  resolution_ns: z.number().positive(),
  /** Absent for a whole run. */
  partial: partialSchema.optional(),
  retries: count,
  failed_attempts: z.array(z.strictObject({ why: z.string(), folder: z.string() })),
  traffic: z.strictObject({
    pattern: z.string(),
    packets: count,
    rounds: count,
    /** Null, as those below, where another tool's file does not say. */
    interval_us: z.number().nullable(),
    idle_threshold_us: z.number().nullable(),
    handback_idle_threshold_us: z.number().nullable(),
    seed: count.nullable(),
  }),
  paths: z.array(pathResultSchema).max(1024),
  /** Not paths of ours: programs measured in the same guest to judge the paths by. */
  references: z.array(pathResultSchema).max(256),
  targets: z.array(targetSchema),
  platform: z.record(z.string(), z.string()),
  /** Knobs in force and their values; absent where not recorded. */
  tuning: z.record(z.string(), z.string()).optional(),
  timeline: timelineSchema.optional(),
  /** Absent where it could not be measured: a note says why. */
  energy: energySchema.optional(),
  /** What a reader must know to read the figures rightly. */
  notes: z.array(z.string()).max(100),
  /** The command that repeats this run. */
  repeat: z.string(),
});
export type Result = z.infer<typeof resultSchema>;
