// SPDX-License-Identifier: Apache-2.0
import { z } from 'zod';
import { pathCostSchema } from '../events.js';
import type { Plan } from '../plan.js';
import { run } from './commands.js';
import type { Dataplane } from './dataplane.js';
import { emit } from './events.js';
import { dpdkCpu } from './guest-machine.js';
import { eventsAfterRing, withEvents } from './stages.js';
import type { Steps } from './steps.js';
import { type GuestPath, TestBench } from './test-bench.js';

const vmcall: GuestPath = {
  name: 'vmcall',
  policy: 'vmcall',
  kvm: { irqfdHardirq: true, vcpuYield: true },
};
const packets = 100;
const histogramSchema = z.object({ p50: z.number() });
export const costsStepCount = 8;

/**
 * KVM's paths one by one with a guest without a kernel, all on one CPU; then, where KVM has doorbells, the whole way
 * to the DPDK program in a Linux guest.
 */
export async function costs(plan: Plan, steps: Steps): Promise<void> {
  if (plan.costs === undefined) throw new Error('the plan names no folder of the cost program');
  const bench = await TestBench.prepare(plan);
  const words = ['--cpu', String(dpdkCpu), '--rounds', String(plan.packets), '--device', bench.nic];
  const printed = await steps.take("KVM's paths one by one", () =>
    run(`${plan.costs}/vmcall-costs`, ...words),
  );
  const paths = z.array(pathCostSchema).parse(JSON.parse(printed));
  for (const cost of paths) emit({ type: 'path-cost', cost });
  if (!paths.some(({ ring }) => ring)) return;

  const guest = await steps.take('booting the guest', () => bench.startGuest());
  const dataplane = await bench.startDataplane(guest);
  await bench.switchTo(guest, dataplane, vmcall);
  for (const event of [null, ...eventsAfterRing])
    await steps.take(`ring to program, tracing ${event ?? 'nothing'}`, async () => {
      const median = await programWake(bench, dataplane, { packets, busyCpu: dpdkCpu }, event);
      emit({ type: 'program-wake', from: 'task', event, median });
    });
  await steps.take('ring to program, from idle', async () => {
    const median = await programWake(bench, dataplane, { packets }, null);
    emit({ type: 'program-wake', from: 'idle', event: null, median });
  });
  await steps.take('stage by stage', () => bench.stages(guest, dataplane, vmcall, { busyCpu: dpdkCpu }));
  await dataplane.stop();
  await guest.stop();
}

async function programWake(
  bench: TestBench,
  dataplane: Dataplane,
  traffic: { packets: number; busyCpu?: number },
  event: string | null,
): Promise<number> {
  await dataplane.reset();
  await withEvents(event ? [event] : [], () => bench.burst(traffic));
  return histogramSchema.parse(await dataplane.histogram()).p50;
}
