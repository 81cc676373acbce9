// SPDX-License-Identifier: Apache-2.0
import { setTimeout as delay } from 'node:timers/promises';
import { dpdkVcpu } from './cpus.js';
import type { GuestMachine } from './guest-machine.js';

/** Its first built-in route, 1.1.1.0/24, leads back out of port 0 (DPDK 22.11: examples/l3fwd/l3fwd_route.h). */
export const l3fwdDestination = '1.1.1.1';

/** It goes to sleep after some 300 empty polls, which take longer than the deck's interval here, us. */
export const l3fwdInterval = 1000;

/** Time for l3fwd-power, which has no telemetry, to bring the port up, in ms of the lab's clock. */
const settle = 2_000;

/**
 * What DPDK's driver leaves undone for RX interrupts by MSI-X, by our own program's words (nic_82574.c): RX queue 0
 * to vector 1, its cause cleared by delivery (EIAC) but not masked (CTRL_EXT.IAME), no throttling, and armed. By
 * MSI the emulated NIC raises just one interrupt, because nobody reads ICR.
 */
const receiveInterrupts = '0x18|0x08000000 0xe4=0x00080009 0xdc=0x00100000 0xec=0 0xd0=0x00100000';

/** DPDK's own example, as it is, in its own interrupt mode: the measure that our injected path is no strawman. */
export async function startL3fwdPower(guest: GuestMachine): Promise<() => Promise<void>> {
  const command = [
    'l3fwd-power',
    ...['-l', String(dpdkVcpu), '-a', guest.nic, '--in-memory', '--log-level', 'warning', '-m', '192'],
    '--',
    ...['-p', '0x1', '-P', '--config=(0,0,1)', '--parse-ptype', '--interrupt-only'],
  ];
  // Its interrupts on its own CPU, as our program has them.
  await guest.supervise(`steer ${(1 << dpdkVcpu).toString(16)}`);
  await guest.supervise(`start ${command.join(' ')}`);
  await delay(settle);
  await expect(guest, 'alive', 'l3fwd-power ended by itself');
  await expect(guest, `poke ${receiveInterrupts}`, "the NIC's registers cannot be written", 'poked');
  return async () => {
    await guest.supervise('stop');
    await guest.supervise('steer 1');
  };
}

/** Makes a request of the guest's supervisor that answers with a status; 0 is good. */
async function expect(
  guest: GuestMachine,
  request: string,
  otherwise: string,
  answer = request,
): Promise<void> {
  if ((await guest.supervise(request)) !== `${answer} 0`)
    throw new Error(`${otherwise}; see the guest's console`);
}
