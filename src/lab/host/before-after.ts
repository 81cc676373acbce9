// SPDX-License-Identifier: Apache-2.0
import { setTimeout as delay } from 'node:timers/promises';
import { measureCStates } from '../../../host-agent/tuning/cstates.js';
import { openJournal } from '../../../host-agent/tuning/tune.js';
import { exitCodes, VmcallError } from '../../support/errors.js';
import { knobSets, type LabKnobName } from '../knobs.js';
import type { Plan } from '../plan.js';
import { places } from '../table-events.js';
import { dpdkCpu } from './cpus.js';
import { NativeDataplane } from './dataplane.js';
import { emit } from './events.js';
import { type Tunable, tune, tuning } from './knobs.js';
import type { Steps } from './steps.js';
import { TestBench } from './test-bench.js';

/** QEMU's 82574 once throttled doubles each interrupt for good: sets that throttle are measured after all others. */
const throttled = (set: readonly LabKnobName[]) => !set.includes('interrupt-throttling');

/** The sender spins: not above the interrupt threads (FIFO 50), some of which are on its CPU here. */
const priority = 40;

/** How many steps `beforeAfter` takes, for its progress. */
export function beforeAfterStepCount(): number {
  return 1 + places.reduce((sum, place) => sum + knobSets(place).length, 0);
}

/**
 * The deck's table: the program on the host and in the VM, with no knob, with one more at a time, with all, and with
 * all but one. An ordinary process computes on the DPDK CPU all the time.
 */
export async function beforeAfter(plan: Plan, steps: Steps): Promise<void> {
  const bench = await TestBench.prepare(plan);
  emit({ type: 'c-states', ...(await cStates()) });
  await onHost(plan, steps, bench, false);
  const guest = await steps.take('booting the guest', () => bench.startGuest());
  const dataplane = await bench.startDataplane(guest);
  const inGuest: Tunable = { place: 'vm', dataplane, guest, nic: bench.nic };
  for (const late of [false, true]) await inSets(plan, steps, bench, inGuest, late);
  await tune(inGuest, []);
  await dataplane.stop();
  await guest.stop();
  await onHost(plan, steps, bench, true);
}

/** The table of C-states, as far as this host has any. */
async function cStates(): Promise<{ exitCode: number; message: string }> {
  const journal = openJournal(tuning.host, '/run/lab/tuning');
  const measure = async () => ({ min: 0, avg: 0, max: 0 });
  try {
    await measureCStates({ system: tuning, journal, cpu: dpdkCpu, sleep: delay, measure });
    return { exitCode: exitCodes.ok, message: 'it has C-states' };
  } catch (error) {
    if (!(error instanceof VmcallError)) throw error;
    return { exitCode: error.exitCode, message: error.message };
  } finally {
    journal.close();
  }
}

async function onHost(plan: Plan, steps: Steps, bench: TestBench, late: boolean): Promise<void> {
  const { dataplane: folder, idleThreshold } = plan;
  const options = { program: 'vmcall-dataplane', policy: 'interrupt' as const, idleThreshold };
  const dataplane = await NativeDataplane.start(folder, bench.nic, options);
  const { pid } = dataplane;
  await inSets(plan, steps, bench, { place: 'host', dataplane, nic: bench.nic, pid }, late);
  await dataplane.stop();
}

async function inSets(plan: Plan, steps: Steps, bench: TestBench, on: Tunable, late: boolean): Promise<void> {
  for (const knobs of knobSets(on.place).filter((set) => throttled(set) === late))
    await steps.take(`${on.place}: ${knobs.join(', ') || 'no knob'}`, async () => {
      await tune(on, knobs);
      const beside = { busyCpu: dpdkCpu, busyOrdinary: true as const };
      const generator = await bench.burst({ ...beside, packets: plan.packets, priority });
      emit({ type: 'tuned', place: on.place, knobs, generator });
    });
}
