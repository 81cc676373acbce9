// SPDX-License-Identifier: Apache-2.0
import { z } from 'zod';

const count = z.int().min(0);
const perPacket = z.number().min(0);

/** Times in ns. The exact minimum, average and maximum; percentiles from the HDR histogram. */
export const latencySchema = z.strictObject({
  min: z.number(),
  avg: z.number(),
  p50: z.number(),
  p90: z.number(),
  p99: z.number(),
  p999: z.number(),
  max: z.number(),
});
export type Latency = z.infer<typeof latencySchema>;

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
  /** Round trip, generator send to generator receive. */
  rtt_ns: latencySchema,
  /** The round trips: HDR histogram, V2 compressed, base64. */
  rtt_histogram: z.string(),
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
  rounds: z.array(z.strictObject({ index: count, sent: count, received: count, rtt_ns: latencySchema })),
});
export type PathResult = z.infer<typeof pathResultSchema>;

export const targetSchema = z.strictObject({
  name: z.string(),
  limit: z.string(),
  measured: z.number().nullable(),
  reached: z.boolean(),
});
export type Target = z.infer<typeof targetSchema>;

/** One run, self-describing. */
export const resultSchema = z.strictObject({
  format: z.literal('vmcall-result'),
  version: z.literal(1),
  made: z.iso.datetime(),
  /** `instruction`: QEMU TCG with -icount shift=0; one instruction is one ns, VMRUN and #VMEXIT too. */
  clock: z.enum(['instruction', 'realtime']),
  retries: count,
  failed_attempts: z.array(z.strictObject({ why: z.string(), folder: z.string() })),
  traffic: z.strictObject({
    pattern: z.string(),
    packets: count,
    rounds: count,
    interval_us: z.number(),
    idle_threshold_us: z.number(),
    handback_idle_threshold_us: z.number(),
    seed: count,
  }),
  paths: z.array(pathResultSchema),
  /** Not paths of ours: programs measured in the same guest to judge the paths by. */
  references: z.array(pathResultSchema),
  targets: z.array(targetSchema),
  platform: z.record(z.string(), z.string()),
  /** The command that repeats this run. */
  repeat: z.string(),
});
export type Result = z.infer<typeof resultSchema>;
