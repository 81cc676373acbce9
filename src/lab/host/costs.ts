// SPDX-License-Identifier: Apache-2.0
import { z } from 'zod';
import { median } from '../costs/summary.js';
import { pathCostSchema } from '../events.js';
import type { Plan } from '../plan.js';
import { run } from './commands.js';
import { dpdkCpu, dpdkVcpu } from './cpus.js';
import { emit } from './events.js';
import { limitHardIrqs } from './kvm.js';
import { intoGuest, onCpu, passages, rung, type Station, traceOf } from './stages.js';
import type { Steps } from './steps.js';
import { type GuestPath, TestBench } from './test-bench.js';

const vmcall: GuestPath = {
  name: 'vmcall',
  policy: 'vmcall',
  kvm: { irqfdHardirq: true, vcpuYield: true },
};
const packets = 100;
const histogramSchema = z.object({ p50: z.number() });
export const costsStepCount = 7;

/**
 * KVM's paths one by one with a guest without a kernel, all on one CPU; then, where KVM has doorbells, the whole way
 * to the DPDK program in a Linux guest.
 */
export async function costs(plan: Plan, steps: Steps): Promise<void> {
  if (plan.costs === undefined) throw new Error('the plan names no folder of the cost program');
  const bench = await TestBench.prepare(plan);
  // One upon the other: more than a host lets devices have.
  limitHardIrqs(1_000_000);
  const words = ['--cpu', String(dpdkCpu), '--rounds', String(plan.packets), '--device', bench.nic];
  const printed = await steps.take("KVM's paths one by one", () =>
    run(`${plan.costs}/vmcall-costs`, ...words),
  );
  const paths = z.array(pathCostSchema).parse(JSON.parse(printed));
  for (const cost of paths) emit({ type: 'path-cost', cost });
  const probed = await steps.take('vmcall probe', () =>
    run(
      `${plan.costs}/vmcall-probe`,
      '--json',
      '--clock',
      'instruction',
      '--cpu',
      String(dpdkCpu),
      '--wakes',
      '200',
    ),
  );
  emit({ type: 'probe', result: JSON.parse(probed) as unknown });
  if (!paths.some(({ ring }) => ring)) return;

  const guest = await steps.take('booting the guest', () => bench.startGuest());
  const dataplane = await bench.startDataplane(guest);
  await bench.switchTo(guest, dataplane, vmcall);
  const wake = async (from: 'task' | 'idle', trace?: TracedPart) => {
    await dataplane.reset();
    const traffic = { packets, ...(from === 'task' ? { busyCpu: dpdkCpu } : {}) };
    const text = await traceOf(trace?.events ?? [], () => bench.burst(traffic));
    const ticks = histogramSchema.parse(await dataplane.histogram()).p50;
    const spans = trace ? passages(text, trace.stations).map(([begin = 0, end = 0]) => end - begin) : [];
    const part = trace && { name: trace.name, ticks: median(spans) };
    emit({ type: 'program-wake', from, ticks, ...(part ? { part } : {}) });
  };
  await steps.take('ring to program', () => wake('task'));
  await steps.take('ring to program, from idle', () => wake('idle'));
  for (const part of tracedParts(guest.dpdkThread))
    await steps.take(`ring to program, ${part.name}`, () => wake('task', part));
  await dataplane.stop();
  await guest.stop();
}

interface TracedPart {
  name: 'to-cpu' | 'to-guest';
  events: string[];
  stations: Station[];
}

/** Two tracepoints at a time: each costs the way more than its own line in the trace shows. */
const tracedParts = (thread: number): TracedPart[] => [
  {
    name: 'to-cpu',
    events: ['kvm/kvm_doorbell', 'sched/sched_switch'],
    stations: [rung, onCpu(thread)],
  },
  {
    name: 'to-guest',
    events: ['sched/sched_switch', 'kvm/kvm_entry'],
    stations: [onCpu(thread), intoGuest(dpdkVcpu)],
  },
];
