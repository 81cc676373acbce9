// SPDX-License-Identifier: Apache-2.0
import type { Plan } from '../plan.js';
import { emit } from './events.js';
import type { Standing } from './standing.js';
import type { Steps } from './steps.js';
import type { GuestPath } from './test-bench.js';
import { tuningInForce } from './tuning-in-force.js';

/** The paths that one running guest takes in turns, by switching at run time. */
const allPaths: readonly GuestPath[] = [
  { name: 'poll', policy: 'poll', kvm: { irqfdHardirq: false, vcpuYield: false } },
  { name: 'injected', policy: 'interrupt', kvm: { irqfdHardirq: false, vcpuYield: false } },
  { name: 'injected-hard-isr', policy: 'interrupt', kvm: { irqfdHardirq: true, vcpuYield: false } },
  { name: 'pv-kick', policy: 'pv-kick', kvm: { irqfdHardirq: true, vcpuYield: false } },
  { name: 'vmcall', policy: 'vmcall', kvm: { irqfdHardirq: true, vcpuYield: true } },
];

/** Those that this host has: without the series, what needs nothing of it. */
const pathsOf = ({ stock }: Plan) =>
  stock ? allPaths.filter(({ name }) => ['poll', 'injected', 'pv-kick'].includes(name)) : allPaths;

/**
 * The main job: every path under the same packets in one run. The guest's paths take turns; those that need its NIC for
 * themselves come after them: l3fwd-power in place of our program, and the native path once the guest is gone.
 */
export async function compare(plan: Plan, steps: Steps, standing: Standing): Promise<void> {
  const { bench, guest, plane, dataplane } = standing;
  const guestPaths = pathsOf(plan);
  const share = Math.ceil(plan.packets / plan.rounds);
  for (let index = 0; index < plan.rounds; index++)
    for (const path of guestPaths)
      await steps.take(`${path.name}, round ${index + 1} of ${plan.rounds}`, () =>
        bench.latency(guest, dataplane, path, index, share),
      );
  emit(await tuningInForce(guest));
  for (const path of guestPaths)
    await steps.take(`${path.name}: counting exits`, () => bench.accounting(guest, dataplane, path));
  const waiting = guestPaths.filter(({ policy }) => policy !== 'poll');
  for (const path of waiting)
    await steps.take(`${path.name}: stage by stage`, () => bench.stages(guest, dataplane, path));
  await dataplane.setIdleThreshold(0);
  for (const path of guestPaths)
    await steps.take(`${path.name}: CPU handed back`, () => bench.handback(guest, dataplane, path));
  await plane.stop();
  await steps.take("DPDK's own l3fwd-power in the guest", () => bench.l3fwdPower(guest));
  await guest.stop();
  await steps.take('interrupt mode and polling on the host itself', () => bench.native());
}

/** How many steps `compare` takes, for its progress. */
export function stepCount(plan: Plan): number {
  return 2 + pathsOf(plan).length * (plan.rounds + 3) - 1;
}
