// SPDX-License-Identifier: Apache-2.0
import { z } from 'zod';
import { generatorResultSchema } from '../results/generator-result.js';
import { switchStages, victims } from './plan.js';
import { cStatesSchema, densitySchema, modeSchema, tunedSchema } from './table-events.js';

/** The ways a packet's arrival reaches the DPDK program. */
export const pathNames = [
  'poll',
  'injected',
  'injected-hard-isr',
  'pv-kick',
  'vmcall',
  'native-interrupt',
  'native-poll',
  'l3fwd-power',
] as const;
export type PathName = (typeof pathNames)[number];

const counters = z.record(z.string(), z.number());
const tally = z.array(z.object({ keys: z.record(z.string(), z.string()), count: z.int().min(0) }));

/** What a round is for; only `latency` rounds give latencies. */
export const passSchema = z.enum(['latency', 'accounting', 'handback']);
export type Pass = z.infer<typeof passSchema>;

/** A few packets of a burst, one after the other; times in ns, from the burst's first packet. */
const coursePointSchema = z.object({
  at: z.number().min(0),
  length: z.number().min(0),
  received: z.int().min(1),
  rtt: z.object({ p50: z.number(), p99: z.number(), max: z.number() }),
});
export type CoursePoint = z.infer<typeof coursePointSchema>;

/** One path, one burst of traffic. */
export const roundSchema = z.object({
  type: z.literal('round'),
  path: z.enum(pathNames),
  pass: passSchema,
  index: z.int().min(0),
  generator: generatorResultSchema,
  /** How it went over the burst (`latency` only). */
  course: z.array(coursePointSchema).optional(),
  /** The dataplane's counters, and KVM's of the DPDK vCPU, as they rose over the round. */
  dataplane: counters.optional(),
  kvm: counters.optional(),
  /** From KVM's tracepoints on the DPDK vCPU (`accounting` only). */
  trace: z
    .object({
      exits: counters,
      /** Interrupts injected, by vector. */
      injected: z.record(z.string(), z.int().min(0)),
      /** MSI data KVM delivered for the VM's devices, and how often. */
      messages: tally,
    })
    .optional(),
  /** Wakes by doorbell: from the host's ring to the program's first instruction, ns. */
  wakeLatency: z.record(z.string(), z.unknown()).optional(),
});
export type Round = z.infer<typeof roundSchema>;

/** One path's way from the device to the sender in parts: ns of each stage, packet by packet. */
export const stagesSchema = z.object({
  type: z.literal('stages'),
  path: z.enum(pathNames),
  stages: z.array(z.object({ name: z.string(), ns: z.array(z.number().min(0)) })),
});
export type Stages = z.infer<typeof stagesSchema>;

/** How one build of the program woke for packets that come just as it goes to sleep. */
export const wakeupsSchema = z.object({
  type: z.literal('wakeups'),
  program: z.string(),
  policy: z.enum(['interrupt', 'pv-kick', 'vmcall']),
  sent: z.int(),
  received: z.int(),
  /** Packets that waited for the next one to wake the program: each is a lost wake-up. */
  late: z.int(),
  /** Packets that the poll after arming found: how often the window was hit. */
  foundAfterArming: z.int(),
  /** Times the lcore waited for a contended PV spinlock on its way to the HLT. */
  lockWaits: z.int().optional(),
});
export type Wakeups = z.infer<typeof wakeupsSchema>;

/** What the guest's driver said and did, by name: see host/driver.ts. */
export const driverFactsSchema = z.object({
  type: z.literal('driver'),
  facts: z.record(z.string(), z.string()),
});

/** How host and guest are locked down, and why a file of KVM's in debugfs cannot be written (an error's name). */
export const lockedDownSchema = z.object({
  type: z.literal('locked-down'),
  host: z.string(),
  guest: z.string(),
  debugfs: z.string(),
});

/** Packets on a path of a host and a guest that are locked down. */
export const lockedDownBurstSchema = z.object({
  type: z.literal('locked-down-burst'),
  path: z.string(),
  sent: z.int(),
  received: z.int(),
  /** Who let the program have its vCPU: `driver`, `msr` or `none`. */
  vcpuBy: z.string(),
  yields: z.int(),
  hardIrqs: z.int(),
});

/** A VM's packets and notifications in one stretch of time, as KVM and the host's kernel count them. */
const windowSchema = z.object({
  /** Interrupts of the NIC on the host. */
  nicInterrupts: z.int(),
  /** Of those, taken by KVM in hard IRQ context. */
  hardIrqTaken: z.int(),
  yields: z.int(),
  doorbellRings: z.int(),
  /** Interrupts injected into any vCPU. */
  injections: z.int(),
});
export type Window = z.infer<typeof windowSchema>;

/** One switch by the host agent while packets flow, and what was counted once it said that the path is reached. */
export const switchSchema = z.object({
  type: z.literal('switch'),
  index: z.int(),
  path: z.enum(['injected', 'pv-kick', 'vmcall']),
  /** From the desired path to its being reached, ms of the lab's clock. */
  took: z.number(),
  window: windowSchema,
});
export type SwitchEvent = z.infer<typeof switchSchema>;

/** What `vmcall status` says at a moment: of the domain, or why nothing. */
const toldSchema = z.object({
  /** Since the kill, ms of the lab's clock. */
  after: z.number(),
  desired: z.string().nullable(),
  actual: z.string().nullable(),
  phase: z.string().nullable(),
  code: z.string().nullable(),
});
export type ToldEvent = z.infer<typeof toldSchema>;

/** One process killed outright while packets flow. */
export const faultSchema = z.object({
  type: z.literal('fault'),
  victim: z.enum(victims),
  stage: z.enum(switchStages),
  /** KVM's switch `vcpu_yield`, and the path the host agent had seen, right before. */
  found: z.object({ vcpuYield: z.boolean(), path: z.string().nullable() }),
  /** From the kill to the desired path being reached again, each change of what is reported. */
  told: z.array(toldSchema),
  /** Counted while the victim was away, where packets need it not. */
  away: windowSchema.nullable(),
  /** From the kill to the desired path being reached, ms of the lab's clock. */
  took: z.number(),
  /** Counted from then on. */
  back: windowSchema,
  /** The traffic around the kill; where the guest itself was killed, it ends when that is seen. */
  generator: generatorResultSchema,
  /** The traffic after the guest was started again. */
  afterBoot: generatorResultSchema.nullable(),
  /** Of `vmcall run`, which measured since before the kill: its exit code and the document it kept (`after` only). */
  run: z
    .object({ exitCode: z.union([z.int(), z.string()]), result: z.unknown(), stderr: z.string() })
    .nullable(),
});
export type Fault = z.infer<typeof faultSchema>;

/** `vmcall enable` or `vmcall disable`, and `vmcall status --json` after it. */
export const commandLineSwitchSchema = z.object({
  type: z.literal('command-line-switch'),
  verb: z.enum(['enable', 'disable']),
  printed: z.string(),
  status: z.unknown(),
});

export type CommandLineSwitch = z.infer<typeof commandLineSwitchSchema>;

/** Which driver of the host has the NIC, whether libvirt says that the domain has it, and whether its QEMU does. */
const nicPlaceSchema = z.object({ driver: z.string(), inDomain: z.boolean(), openInQemu: z.boolean() });
export type NicPlace = z.infer<typeof nicPlaceSchema>;

/** A NIC attached to a running domain and detached again. */
export const hotPlugSchema = z.object({
  type: z.literal('hot-plug'),
  before: nicPlaceSchema,
  attached: nicPlaceSchema,
  detached: nicPlaceSchema,
});

/** `vmcall run --json`, and the last of `vmcall top --json`; instances of ftrace that are left after them. */
export const liveMeasurementSchema = z.object({
  type: z.literal('live-measurement'),
  result: z.unknown(),
  top: z.unknown(),
  tracesLeft: z.array(z.string()),
});

export type LiveMeasurement = z.infer<typeof liveMeasurementSchema>;

/** Settings of `vmcall tune`, by knob and place. */
const settingsSchema = z.record(z.string(), z.string());

/** What was in force while the paths were measured. */
export const tuningSchema = z.object({ type: z.literal('tuning'), settings: settingsSchema });

export type TuningEvent = z.infer<typeof tuningSchema>;

/** The documents of `vmcall tune`, one after the other, and the settings around them. */
export const tuneStepsSchema = z.object({
  type: z.literal('tune'),
  planned: z.unknown(),
  applied: z.unknown(),
  plannedAgain: z.unknown(),
  restored: z.unknown(),
  before: settingsSchema,
  tuned: settingsSchema,
  after: settingsSchema,
});

export type TuneSteps = z.infer<typeof tuneStepsSchema>;

/** The affinity of the NIC's interrupts: applied, when DPDK in the guest has restarted, and reapplied; then the guest itself. */
export const tuneRestartSchema = z.object({
  type: z.literal('tune-restart'),
  applied: z.record(z.string(), z.string()),
  lost: z.record(z.string(), z.string()),
  kept: z.record(z.string(), z.string()),
  /** What the keeper reports. */
  status: z.unknown(),
  /** Every setting once the guest has been started again, and as the keeper leaves it; what `tune plan` would set then. */
  guestBegun: z.record(z.string(), z.string()),
  guestKept: z.record(z.string(), z.string()),
  guestPlanned: z.unknown(),
});
export type TuneRestart = z.infer<typeof tuneRestartSchema>;

/** Traffic as it flowed under a number of switches: none, or the whole scenario's. */
export const switchTrafficSchema = z.object({
  type: z.literal('switch-traffic'),
  switches: z.int(),
  generator: generatorResultSchema,
  dataplane: counters,
});
export type SwitchTraffic = z.infer<typeof switchTrafficSchema>;

/** What the host agent's `/metrics` reported, by series, and KVM's own counters of that VM right after. */
const observedLookSchema = z.object({
  metrics: z.record(z.string(), z.number()),
  kvm: z.object({ yields: z.int(), rings: z.int() }),
});
export type ObservedLook = z.infer<typeof observedLookSchema>;

/** What observers see, before and after a burst on the VM-call path; then `vmcall top --json`. */
export const observedSchema = z.object({
  type: z.literal('observed'),
  /** Of the burst, its warm-up included. */
  packets: z.int(),
  before: observedLookSchema,
  after: observedLookSchema,
  top: z.unknown(),
});
export type Observed = z.infer<typeof observedSchema>;

/** One case of a kernel selftest, from its TAP. */
export const testCaseSchema = z.object({
  type: z.literal('test-case'),
  program: z.string(),
  name: z.string(),
  outcome: z.enum(['pass', 'fail', 'skip']),
  notes: z.array(z.string()),
});
export type TestCaseEvent = z.infer<typeof testCaseSchema>;

/** How a kernel selftest ended, and what it left behind in L1's kernel. */
export const testProgramSchema = z.object({
  type: z.literal('test-program'),
  program: z.string(),
  arguments: z.array(z.string()),
  /** Exit code, or the signal that killed it. */
  ended: z.union([z.int(), z.string()]),
  /** What its TAP lacks. */
  incomplete: z.array(z.string()),
  /** The last lines on its stderr. */
  stderr: z.array(z.string()),
  /** VMs that exist less those that existed before. */
  vmsLeft: z.int(),
  /** Uses of KVM's vendor module less those before. */
  moduleUsesLeft: z.int(),
  /** Unreclaimable slab memory less that before, KiB. */
  slabGrowth: z.int(),
  /** New lines of the kernel's log at level warning or above. */
  kernelLog: z.array(z.string()),
});
export type TestProgramEvent = z.infer<typeof testProgramSchema>;

/** How one of the kernel's own selftests ended. */
export const upstreamSelftestSchema = z.object({
  type: z.literal('upstream-selftest'),
  program: z.string(),
  /** Exit code, the signal that killed it, or that it timed out. */
  ended: z.union([z.int(), z.string()]),
  /** On L1's clock, s. */
  seconds: z.number().min(0),
  /** The last lines it printed. */
  output: z.array(z.string()),
});
export type UpstreamSelftestEvent = z.infer<typeof upstreamSelftestSchema>;

const ticks = z.array(z.int().min(0)).min(1);

/** What a path of KVM costs a guest without a kernel: TSC ticks from the trigger, round by round (`costs/main.c`). */
export const pathCostSchema = z.object({
  name: z.string(),
  /** To the guest's first instruction after the wake or in its handler; of a hypercall, there and back. */
  wake: ticks,
  /** To the doorbell's latch. */
  ring: ticks.optional(),
  /** To the trigger's next instruction, the guest halted again. */
  back: ticks.optional(),
});
export type PathCost = z.infer<typeof pathCostSchema>;

/** From a doorbell's ring to the program in a Linux guest. */
export const programWakeSchema = z.object({
  type: z.literal('program-wake'),
  /** The CPU's task that the vCPU preempts: a busy process, or the idle one. */
  from: z.enum(['task', 'idle']),
  /** Median of many wakes, TSC ticks. */
  ticks: z.number().min(0),
  /** A part of the way that two tracepoints bounded meanwhile, and its median. */
  part: z.object({ name: z.enum(['to-cpu', 'to-guest']), ticks: z.number().min(0) }).optional(),
});

/**
 * Where L1 waits for its next order (orders.ts): its kernel and modules are up; our program has started in it; its guest
 * runs, with an agent on each side.
 */
export const stages = ['booted', 'begun', 'standing'] as const;
export type LabStage = (typeof stages)[number];

/** What L1 reports to L0, a JSON line each. */
export const labEventSchema = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('step'),
    text: z.string(),
    fraction: z.number().min(0).max(1),
    clock: z.number(),
  }),
  z.object({ type: z.literal('waiting'), stage: z.enum(stages) }),
  z.object({ type: z.literal('platform'), facts: z.record(z.string(), z.string()) }),
  roundSchema,
  stagesSchema,
  wakeupsSchema,
  switchSchema,
  faultSchema,
  commandLineSwitchSchema,
  hotPlugSchema,
  driverFactsSchema,
  lockedDownSchema,
  lockedDownBurstSchema,
  liveMeasurementSchema,
  tuningSchema,
  tuneStepsSchema,
  tuneRestartSchema,
  switchTrafficSchema,
  observedSchema,
  testCaseSchema,
  testProgramSchema,
  upstreamSelftestSchema,
  modeSchema,
  densitySchema,
  tunedSchema,
  cStatesSchema,
  z.object({ type: z.literal('path-cost'), cost: pathCostSchema }),
  /** What `vmcall-probe --json` printed: a result document. */
  z.object({ type: z.literal('probe'), result: z.unknown() }),
  programWakeSchema,
  /** What L1's kernel had to say at level warning or above, by the end. */
  z.object({
    type: z.literal('kernel-log'),
    lines: z.array(z.string()),
    /** Whether its lock validator runs still: it stops at its first finding. Null: not built in. */
    lockdep: z.boolean().nullable(),
  }),
  /** How often L1's CPUs were interrupted from L0 (host/pulse.ts). */
  z.object({ type: z.literal('pulses'), count: z.int().nonnegative() }),
  z.object({ type: z.literal('done') }),
  z.object({ type: z.literal('failed'), message: z.string() }),
]);
export type LabEvent = z.infer<typeof labEventSchema>;
