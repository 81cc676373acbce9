// SPDX-License-Identifier: Apache-2.0
import { z } from 'zod';

/** A kernel selftest to run, and its words; names are those of the series' programs. */
const testProgramSchema = z.strictObject({
  program: z.string().regex(/^\w+$/),
  arguments: z.array(z.string()).max(32),
  /** Races whose window must be hit: the program runs again, some times, until it was hit in each. */
  windows: z.array(z.string()).max(8).optional(),
});

/** The most guests that share one pCPU in scenario `density`, and the size of each. */
export const mostGuests = 8;
export const smallGuest = { memoryMiB: 256, hugePages: 40 };

/** Who is killed outright in scenario `faults`. */
export const victims = ['guest-agent', 'host-agent', 'dataplane', 'libvirtd', 'qemu'] as const;
export type Victim = (typeof victims)[number];

/**
 * When, of a switch to the VM call. `before`: on the injected path, and the other is desired while the victim
 * is away. `middle`: KVM allows the call, and the host agent waits for the guest agent's answer. `after`: on it.
 */
export const switchStages = ['before', 'middle', 'after'] as const;
export type SwitchStage = (typeof switchStages)[number];

/** What a host and its guest are made of, whatever is done with them. */
export const partsSchema = z.strictObject({
  kernel: z.string(),
  guestInitramfs: z.string(),
  /** Folders of built programs. */
  dataplane: z.string(),
  generator: z.string(),
  /** Folder of our own programs: `vmcall.js`, `lab-host.js` (setup/bundle.ts). */
  programs: z.string(),
  /** Program to run beside the guest while it boots (`turns.c`), where the kernel needs it. */
  turns: z.string().optional(),
  /** The host's KVM and VFIO are the distribution's own, without the series. */
  stock: z.boolean().optional(),
  /** L1's TSC rate, kHz. */
  tscKhz: z.int().positive(),
  /** The dataplane waits after this long without a packet, us. */
  idleThreshold: z.number().min(0),
});
export type Parts = z.infer<typeof partsSchema>;

/** Scenarios that begin once a guest with its agents stands (host/standing.ts): they may share its image. */
const standing: ReadonlySet<string> = new Set(['compare', 'faults', 'live-measurement', 'switch-under-load']);
export const beginsStanding = ({ scenario }: Pick<Plan, 'scenario'>): boolean => standing.has(scenario);

/** What the lab asks of L1. */
export const planSchema = partsSchema.extend({
  scenario: z.enum([
    ...[
      'compare',
      'lost-wakeups',
      'selftests',
      'switch-under-load',
      'modes',
      'density',
      'before-after',
      'tune',
      'live-measurement',
      'costs',
      'upstream-selftests',
      'faults',
      'hot-plug',
      'driver',
      'driver-power',
      'locked-down',
    ],
  ] as const),
  selftests: z.string().optional(),
  costs: z.string().optional(),
  /** Packets measured on each path, in each pass. */
  packets: z.int().min(1).max(1_000_000),
  /** How many rounds they are split into; the paths take turns in each round. */
  rounds: z.int().min(1).max(100),
  /** Time between packets, us. */
  interval: z.number().positive(),
  seed: z.int().min(0),
  /** Whether scenario `lost-wakeups` runs the right program alone, without the broken one beside it. */
  rightProgramOnly: z.boolean().optional(),
  /** How often scenario `switch-under-load` switches. */
  switches: z.int().min(2).max(1000).optional(),
  /** Whether it looks at `/metrics` and `vmcall top` then. */
  watch: z.boolean().optional(),
  /** What scenario `faults` does, in this order; all of it unless said. */
  faults: z
    .array(z.strictObject({ victim: z.enum(victims), stage: z.enum(switchStages) }))
    .min(1)
    .max(100)
    .optional(),
  /** How many guests scenario `density` has, one after the other, rising. */
  guests: z.array(z.int().min(1).max(mostGuests)).min(1).max(mostGuests).optional(),
  /** What scenarios `selftests` and `upstream-selftests` run, in order. */
  testPrograms: z.array(testProgramSchema).max(200).optional(),
});

export type Plan = z.infer<typeof planSchema>;
