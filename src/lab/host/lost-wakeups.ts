// SPDX-License-Identifier: Apache-2.0
import type { Plan } from '../plan.js';
import { GuestDataplane } from './dataplane.js';
import { emit } from './events.js';
import type { Steps } from './steps.js';
import { type GuestPath, TestBench } from './test-bench.js';

/**
 * Pairs of packets, the second 290 to 410 us after the first in steps of 400 ns, then 4 ms of nothing: with an idle
 * threshold of 300 us some second packet comes between the last poll and arming, and a program that does not look
 * again sleeps on it until the next pair. Not closer: within 128 us of an interrupt QEMU's 82574 throttles, and the
 * end of that wakes the broken program by chance.
 */
const pattern = 'pair:290000:410000:400:4000';
const packets = 600;
const idleThreshold = 300;
/** Widens the window from some hundred ns, us: the same in the right program and in the broken one. */
const armDelay = 5;
/** Far above any wake-up, far below the pause between pairs, us. */
const late = 1000;

/** The right program, and the one that is built without the poll after arming. */
export const programs = ['vmcall-dataplane', 'vmcall-dataplane-no-repoll'] as const;
const paths: readonly (GuestPath & { policy: 'interrupt' | 'vmcall' })[] = [
  { name: 'injected', policy: 'interrupt', kvm: { irqfdHardirq: false, vcpuYield: false } },
  { name: 'vmcall', policy: 'vmcall', kvm: { irqfdHardirq: true, vcpuYield: true } },
];
const programsOf = ({ rightProgramOnly }: Plan) => (rightProgramOnly ? [programs[0]] : programs);
export const lostWakeupsStepCount = (plan: Plan) => 1 + programsOf(plan).length * paths.length;

/** Shows that the harness sees lost wake-ups, and that the right program has none. */
export async function lostWakeups(plan: Plan, steps: Steps): Promise<void> {
  const bench = await TestBench.prepare(plan);
  const guest = await steps.take('booting the guest', () => bench.startGuest());
  for (const program of programsOf(plan)) {
    const dataplane = await GuestDataplane.start(guest, {
      program,
      policy: 'interrupt',
      idleThreshold,
      armDelay,
    });
    for (const path of paths)
      await steps.take(`${program}, ${path.policy}`, async () => {
        await bench.switchTo(guest, dataplane, path);
        await dataplane.reset();
        const burst = await bench.burst({ packets, pattern, late });
        const { rx_after_arm } = await dataplane.counters();
        const { sent, received, late: lateCount } = burst;
        emit({
          type: 'wakeups',
          program,
          policy: path.policy,
          sent,
          received,
          late: lateCount,
          foundAfterArming: rx_after_arm ?? 0,
        });
      });
    await dataplane.stop();
  }
  await guest.stop();
}
