// SPDX-License-Identifier: Apache-2.0
import type { Plan } from '../plan.js';
import { type ModeName, type Purpose, sharings } from '../table-events.js';
import { schedule } from './commands.js';
import { dpdkCpu, vcpuPriority } from './cpus.js';
import { type LabDataplane, NativeDataplane, type Policy } from './dataplane.js';
import { emit } from './events.js';
import { steerVfioInterrupts } from './nic.js';
import type { Steps } from './steps.js';
import { type GuestPath, TestBench } from './test-bench.js';

const nativeModes: readonly { name: ModeName; policy: Policy }[] = [
  { name: 'native-poll', policy: 'poll' },
  { name: 'native-interrupt', policy: 'interrupt' },
];
const guestModes: readonly (GuestPath & { name: ModeName })[] = [
  { name: 'poll', policy: 'poll', kvm: { irqfdHardirq: false, vcpuYield: false } },
  { name: 'injected', policy: 'interrupt', kvm: { irqfdHardirq: false, vcpuYield: false } },
  { name: 'vmcall', policy: 'vmcall', kvm: { irqfdHardirq: true, vcpuYield: true } },
];

/** How many steps `modes` takes, for its progress. */
export function modesStepCount({ rounds }: Plan): number {
  return 2 + (nativeModes.length + guestModes.length) * sharings.length * (rounds + 1);
}

/**
 * The slides' working modes: the program polls, or waits on a CPU of its own, or waits on a CPU that it shares with
 * an ordinary process; on the host, then in the guest. The program or its vCPU is real-time in all of them.
 */
export async function modes(plan: Plan, steps: Steps): Promise<void> {
  const bench = await TestBench.prepare(plan);
  const native = await steps.take('starting the program on the host', () => startNative(plan, bench));
  await inTurns(plan, steps, bench, native, nativeModes, async ({ policy }) => {
    await native.setPolicy(policy);
    steerVfioInterrupts(bench.nic, dpdkCpu);
  });
  await native.stop();
  const guest = await steps.take('booting the guest', () => bench.startGuest());
  const dataplane = await bench.startDataplane(guest);
  await inTurns(plan, steps, bench, dataplane, guestModes, (mode) => bench.switchTo(guest, dataplane, mode));
  await dataplane.stop();
  await guest.stop();
}

/** The slides: DPDK runs with the highest priority. */
async function startNative({ dataplane: folder, idleThreshold }: Plan, bench: TestBench) {
  const options = { program: 'vmcall-dataplane', policy: 'interrupt' as const, idleThreshold };
  const native = await NativeDataplane.start(folder, bench.nic, options);
  await schedule(native.pid, dpdkCpu, vcpuPriority);
  return native;
}

/** Each mode on each kind of CPU: for latency, round by round, and once for the CPU, sleeping at once. */
async function inTurns<Mode extends { name: ModeName }>(
  plan: Plan,
  steps: Steps,
  bench: TestBench,
  dataplane: LabDataplane,
  list: readonly Mode[],
  enter: (mode: Mode) => Promise<void>,
): Promise<void> {
  const { rounds, seed } = plan;
  const packets = Math.ceil(plan.packets / rounds);
  const pass = async (purpose: Purpose, text: string, index: number) => {
    for (const mode of list) {
      await enter(mode);
      for (const cpu of sharings)
        await steps.take(`${mode.name}, ${cpu} CPU, ${text}`, async () => {
          const beside = cpu === 'shared' ? busy : purpose === 'cpu' ? { watchCpu: dpdkCpu } : {};
          const generator = await bench.burst({ ...beside, packets, seed: seed + index });
          emit({ type: 'mode', mode: mode.name, cpu, purpose, generator });
        });
    }
  };
  for (let index = 0; index < rounds; index++)
    await pass('latency', `round ${index + 1} of ${rounds}`, index);
  await dataplane.setIdleThreshold(0);
  await pass('cpu', 'use of the CPU', 0);
}

/** An ordinary process on the DPDK CPU. */
const busy = { busyCpu: dpdkCpu, busyOrdinary: true } as const;
