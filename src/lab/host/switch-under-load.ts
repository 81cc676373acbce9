// SPDX-License-Identifier: Apache-2.0
import { setTimeout as delay } from 'node:timers/promises';
import type { Plan } from '../plan.js';
import { schedule } from './commands.js';
import { dpdkCpu, housekeepingCpu } from './cpus.js';
import { domainName } from './domain-xml.js';
import { emit } from './events.js';
import { countedWhile, flowing } from './flow.js';
import { steerVfioInterrupts } from './nic.js';
import { observed } from './observed.js';
import type { Standing } from './standing.js';
import type { Steps } from './steps.js';

export const switchUnderLoadStepCount = 5;

/** Each to each other in turn; not back to the first alone. */
export const cycle = ['vmcall', 'injected', 'pv-kick', 'vmcall', 'pv-kick', 'injected'] as const;

const switchesUnlessTold = 100;
/** Time after a switch in which is counted what packets do, ms: some forty packets. */
const windowMs = 15;
/** More than are sent until the last switch. */
const packetsMost = 1_000_000;

/** The host agent switches a running guest back and forth while packets flow. */
export async function switchUnderLoad(plan: Plan, steps: Steps, standing: Standing): Promise<void> {
  const { packets, switches = switchesUnlessTold } = plan;
  const { bench, guest, plane, dataplane } = standing;
  plane.reconfigure({ interval: 10 });
  // It interrupts the DPDK vCPU, which is stopped until that vCPU goes on: by all signs it holds a lock of the guest's kernel.
  // On a host it has a CPU of its own; here it shares one, where ordinary programs kept it waiting for up to a millisecond.
  await schedule(guest.housekeepingThread, housekeepingCpu, 1);
  steerVfioInterrupts(bench.nic, dpdkCpu);

  await steps.take('switching by the command line', async () => {
    for (const verb of ['enable', 'disable'] as const) {
      const printed = await plane.vmcall(verb, domainName);
      const status: unknown = JSON.parse(await plane.vmcall('status', domainName, '--json'));
      emit({ type: 'command-line-switch', verb, printed, status });
    }
  });
  await steps.take('injected, without a switch', async () => {
    await dataplane.reset();
    const generator = await bench.burst({ packets });
    emit({ type: 'switch-traffic', switches: 0, generator, dataplane: await dataplane.counters() });
  });
  await steps.take(`switching under load, ${switches} times`, async () => {
    await dataplane.reset();
    const traffic = bench.traffic({ packets: packetsMost });
    await flowing(bench.nic);
    for (let index = 0; index < switches; index++) {
      const path = cycle[index % cycle.length] ?? 'injected';
      const before = performance.now();
      await plane.switchTo(path);
      const took = performance.now() - before;
      const window = await countedWhile(guest, bench.nic, () => delay(windowMs));
      emit({ type: 'switch', index, path, took, window });
      if (index % 10 === 9) steps.say(`${index + 1} switches`);
    }
    traffic.stop();
    const generator = await traffic.ended;
    emit({ type: 'switch-traffic', switches, generator, dataplane: await dataplane.counters() });
  });
  if (plan.watch)
    await steps.take('/metrics and vmcall top', async () =>
      emit({ type: 'observed', ...(await observed(plane, guest, bench, { packets })) }),
    );
  await steps.take('stopping the guest', () => guest.stop());
}
