// SPDX-License-Identifier: Apache-2.0
import { setTimeout as delay } from 'node:timers/promises';
import type { DesiredPath } from '../../../host-agent/switch/metadata.js';
import type { Window } from '../events.js';
import type { Plan } from '../plan.js';
import { readText } from './commands.js';
import { ControlPlane, filePrefix } from './control-plane.js';
import { GuestDataplane } from './dataplane.js';
import { domainName } from './domain-xml.js';
import { emit } from './events.js';
import { dpdkCpu, type GuestMachine } from './guest-machine.js';
import { interruptCount, steerVfioInterrupts } from './nic.js';
import type { Steps } from './steps.js';
import { TestBench } from './test-bench.js';

export const switchUnderLoadStepCount = 6;

const switches = 100;
/** Of these, by the command line: the rest by the socket that it uses, which is quicker. */
const byCommandLine = 2;
/** Time after a switch in which is counted what packets do, ms: some forty packets. */
const windowMs = 15;
/** More than are sent until the last switch. */
const packetsMost = 1_000_000;

/** The host agent throws the switch of a running guest to and fro while packets flow. */
export async function switchUnderLoad(plan: Plan, steps: Steps): Promise<void> {
  const bench = await TestBench.prepare(plan);
  const guest = await steps.take('booting the guest, by libvirt', () => bench.startGuest());
  const plane = await steps.take('starting host agent and guest agent', () =>
    ControlPlane.start(guest, {
      idleThreshold: plan.idleThreshold,
      interval: 10,
      say: (text) => steps.say(text),
    }),
  );
  const dataplane = await GuestDataplane.attach(guest, filePrefix);
  steerVfioInterrupts(bench.nic, dpdkCpu);
  const told = async () => JSON.parse(await plane.vmcall('status', domainName, '--json')) as unknown;

  await steps.take('injected, without a switch', async () => {
    await dataplane.reset();
    const generator = await bench.burst({ packets: plan.packets });
    const counters = await dataplane.counters();
    emit({ type: 'switch-traffic', switches: 0, generator, dataplane: counters, status: await told() });
  });

  await dataplane.reset();
  const traffic = bench.traffic({ packets: packetsMost });
  const throwSwitch = async (index: number) => {
    const path: DesiredPath = index % 2 === 0 ? 'vmcall' : 'injected';
    const isByHand = index < byCommandLine;
    const before = performance.now();
    if (isByHand) await plane.vmcall(path === 'vmcall' ? 'enable' : 'disable', domainName);
    else await plane.switchTo(path);
    const took = performance.now() - before;
    const window = await countedWhile(guest, bench.nic, () => delay(windowMs));
    const by = isByHand ? 'command line' : 'control socket';
    emit({ type: 'switch', index, by, path, took, window });
  };
  await steps.take('switching by the command line', async () => {
    for (let index = 0; index < byCommandLine; index++) await throwSwitch(index);
  });
  await steps.take(`switching by the host agent, ${switches} times in all`, async () => {
    for (let index = byCommandLine; index < switches; index++) {
      await throwSwitch(index);
      if (index % 10 === 9) steps.say(`${index + 1} switches`);
    }
  });
  traffic.stop();
  const generator = await traffic.ended;
  const counters = await dataplane.counters();
  emit({ type: 'switch-traffic', switches, generator, dataplane: counters, status: await told() });
  await steps.take('stopping the guest', () => guest.stop());
}

/** From the kernel's own counts, which can be read without a word to the vCPU; only the DPDK vCPU makes VM calls. */
async function countedWhile(guest: GuestMachine, nic: string, work: () => Promise<unknown>): Promise<Window> {
  const folder = guest.kvmFolder;
  const read = (): Window => ({
    nicInterrupts: interruptCount(nic),
    hardIrqTaken: Number(readText(`${folder}/irqfd_hardirq_taken`)),
    yields: Number(readText(`${folder}/vcpu_yields`)),
    doorbellRings: Number(readText(`${folder}/doorbell_rings`)),
    injections: Number(readText(`${folder}/irq_injections`)),
  });
  const before = read();
  await work();
  const after = read();
  return {
    nicInterrupts: after.nicInterrupts - before.nicInterrupts,
    hardIrqTaken: after.hardIrqTaken - before.hardIrqTaken,
    yields: after.yields - before.yields,
    doorbellRings: after.doorbellRings - before.doorbellRings,
    injections: after.injections - before.injections,
  };
}
