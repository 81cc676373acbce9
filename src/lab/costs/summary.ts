// SPDX-License-Identifier: Apache-2.0
import { z } from 'zod';
import { resultSchema } from '../../results/schema.js';
import type { LabEvent, PathCost } from '../events.js';

/** Instructions that the series may add to a path that it does not mean to change. */
export const untouchedLimit = 10;

/** Figures of `PathCost` that the series must leave as they are, and what each is. */
const untouched: readonly { path: string; part: 'wake' | 'back'; title: string }[] = [
  { path: 'hypercall', part: 'wake', title: 'hypercall of another number, there and back' },
  { path: 'halt-kick', part: 'wake', title: 'HLT, woken by a PV kick, to the next instruction' },
  { path: 'halt-kick', part: 'back', title: 'HLT, woken by a PV kick, and halted again' },
  { path: 'halt-interrupt', part: 'wake', title: 'HLT, irqfd injects a vector, to its handler' },
  { path: 'halt-interrupt', part: 'back', title: 'HLT, irqfd injects a vector, EOI, and halted again' },
  { path: 'interrupt', part: 'wake', title: 'irqfd injects a vector into a vCPU that runs' },
];

const figuresSchema = z.strictObject({ min: z.int().min(0), median: z.int().min(0) });
type Figures = z.infer<typeof figuresSchema>;

/** What `vmcall costs` finds; all figures in TSC ticks, which are instructions on the lab's instruction clock. */
export const costReportSchema = z.strictObject({
  format: z.literal('vmcall-costs'),
  version: z.literal(1),
  kernel: z.string(),
  rounds: z.int().min(1),
  untouched: z.array(
    z.strictObject({
      title: z.string(),
      unpatched: figuresSchema,
      patched: figuresSchema,
      added: z.strictObject({ min: z.int(), median: z.int() }),
    }),
  ),
  /** A guest without a kernel, woken from HLT or from the yield; `ring` is the part up to the doorbell's latch. */
  wakes: z.array(
    z.strictObject({
      path: z.string(),
      unpatched: figuresSchema.nullable(),
      patched: figuresSchema.nullable(),
      ring: figuresSchema.nullable(),
    }),
  ),
  /** From the device to the DPDK program in a Linux guest, medians. */
  device_to_program: z.strictObject({
    /** The way in parts, each less what tracing cost it, if the vCPU takes its CPU from a busy process. */
    stages: z.array(z.strictObject({ name: z.string(), median: z.number().min(0) })),
    total: z.number().min(0),
    /** The doorbell's ring to the program, if the vCPU's CPU was idle. */
    ring_to_program_from_idle: z.number().min(0),
  }),
  /** `vmcall probe` on either host. */
  probes: z.strictObject({ unpatched: resultSchema, patched: resultSchema }),
  retries: z.int().min(0),
});
export type CostReport = z.infer<typeof costReportSchema>;

/** The middle value of at least one; of the two middle ones the higher. */
export function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}

const figuresOf = (ticks: readonly number[] | undefined): Figures | null =>
  ticks ? { min: Math.min(...ticks), median: median(ticks) } : null;

/** The document of `vmcall probe` of a run. */
export function probeOf(events: readonly LabEvent[]) {
  const probe = events.find((event) => event.type === 'probe');
  return resultSchema.parse(probe?.type === 'probe' ? probe.result : undefined);
}

function costsOf(events: readonly LabEvent[]): Map<string, PathCost> {
  return new Map(
    events.flatMap((event) => (event.type === 'path-cost' ? [[event.cost.name, event.cost]] : [])),
  );
}

/** The costs of KVM's paths with and without the series. */
export function summarise(
  unpatchedEvents: readonly LabEvent[],
  patchedEvents: readonly LabEvent[],
): Pick<CostReport, 'untouched' | 'wakes'> {
  const [unpatched, patched] = [costsOf(unpatchedEvents), costsOf(patchedEvents)];
  return {
    untouched: untouched.map(({ path, part, title }) => {
      const [before, after] = [unpatched, patched].map((costs) => figuresOf(costs.get(path)?.[part]));
      if (!before || !after) throw new Error(`the cost program did not measure ${path}, ${part}`);
      const added = { min: after.min - before.min, median: after.median - before.median };
      return { title, unpatched: before, patched: after, added };
    }),
    wakes: [...patched.values()]
      .filter(({ name }) => name !== 'hypercall')
      .map(({ name, wake, ring }) => ({
        path: name,
        unpatched: figuresOf(unpatched.get(name)?.wake),
        patched: figuresOf(wake),
        ring: figuresOf(ring),
      })),
  };
}

const stageTitles = [
  'device to the doorbell rung',
  'doorbell rung to the vCPU thread on its CPU',
  'vCPU thread to entering the guest',
  'entering the guest to the program',
] as const;

/** Where the time goes between the device and the DPDK program, from a run on modules with the series. */
export function deviceToProgram(events: readonly LabEvent[]): CostReport['device_to_program'] {
  const ring = costsOf(events).get('device-doorbell')?.ring;
  const wakes = events.filter((event) => event.type === 'program-wake');
  const whole = (from: 'task' | 'idle') => wakes.find((wake) => wake.from === from && !wake.part)?.ticks;
  const [ringToProgram, fromIdle] = [whole('task'), whole('idle')];
  if (!ring || ringToProgram === undefined || fromIdle === undefined)
    throw new Error('the lab did not measure the way from device to program');
  // Of what two tracepoints cost, half is after the first one's timestamp and before the second one's.
  const part = (name: 'to-cpu' | 'to-guest') => {
    const wake = wakes.find((found) => found.part?.name === name);
    if (!wake?.part) throw new Error(`the lab did not measure ${name}`);
    return Math.round(wake.part.ticks - (wake.ticks - ringToProgram) / 2);
  };
  const [deviceToRing, toCpu, toGuest] = [median(ring), part('to-cpu'), part('to-guest')];
  const parts = [deviceToRing, toCpu, toGuest, ringToProgram - toCpu - toGuest];
  return {
    stages: stageTitles.map((name, index) => ({ name, median: parts[index] ?? 0 })),
    total: deviceToRing + ringToProgram,
    ring_to_program_from_idle: fromIdle,
  };
}
