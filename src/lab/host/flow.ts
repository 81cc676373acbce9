// SPDX-License-Identifier: Apache-2.0
import { setTimeout as delay } from 'node:timers/promises';
import type { Window } from '../events.js';
import { readText } from './commands.js';
import type { GuestMachine } from './guest-machine.js';
import { interruptCounter } from './nic.js';

/** As many show that the traffic flows. */
const packetsToFlow = 20;
/** ms of the lab's clock. */
const patienceMs = 10_000;

/** Resolves once packets come: the generator takes a moment to start. */
export async function flowing(nic: string): Promise<void> {
  const interrupts = interruptCounter(nic);
  const before = interrupts();
  const since = performance.now();
  while (interrupts() - before < packetsToFlow) {
    if (performance.now() - since > patienceMs)
      throw new Error(
        `${interrupts() - before} interrupts of ${nic} within ${patienceMs / 1000} s: no traffic`,
      );
    await delay(1);
  }
}

/** From the kernel's own counts, which can be read without a word to the vCPU; only the DPDK vCPU makes VM calls. */
export async function countedWhile(
  guest: GuestMachine,
  nic: string,
  work: () => Promise<unknown>,
): Promise<Window> {
  const folder = guest.kvmFolder;
  const interrupts = interruptCounter(nic);
  const read = (): Window => ({
    nicInterrupts: interrupts(),
    hardIrqTaken: Number(readText(`${folder}/irqfd_hardirq_taken`)),
    yields: Number(readText(`${folder}/vcpu_yields`)),
    doorbellRings: Number(readText(`${folder}/doorbell_rings`)),
    injections: Number(readText(`${guest.kvmDebugfs}/irq_injections`)),
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
