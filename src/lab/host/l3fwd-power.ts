// SPDX-License-Identifier: Apache-2.0
import { setTimeout as delay } from 'node:timers/promises';
import { dpdkVcpu, type GuestMachine } from './guest-machine.js';

/** Its first built-in route, 1.1.1.0/24, leads back out of port 0 (DPDK 22.11: examples/l3fwd/l3fwd_route.h). */
export const l3fwdDestination = '1.1.1.1';

/** Time for l3fwd-power, which has no telemetry, to bring the port up, in ms of the lab's clock. */
const settle = 2_000;

/**
 * DPDK's own example, as it is, in its own interrupt mode: the measure that our injected path is no strawman.
 * MSI, because the PMD's MSI-X set-up of the 82574 raises no RX interrupt (shared vector of `--vfio-intr=msi`
 * does).
 */
export async function startL3fwdPower(guest: GuestMachine): Promise<() => Promise<void>> {
  const command = [
    'l3fwd-power',
    ...[
      '-l',
      String(dpdkVcpu),
      '-a',
      guest.nic,
      '--in-memory',
      '--log-level',
      'warning',
      '-m',
      '192',
      '--vfio-intr=msi',
    ],
    '--',
    ...['-p', '0x1', '-P', '--config=(0,0,1)', '--parse-ptype', '--interrupt-only'],
  ];
  // Its interrupts on its own CPU, as our program has them.
  await guest.supervise(`steer ${(1 << dpdkVcpu).toString(16)}`);
  await guest.supervise(`start ${command.join(' ')}`);
  await delay(settle);
  const alive = await guest.supervise('alive');
  if (alive !== 'alive 0') throw new Error("l3fwd-power ended by itself; see the guest's console");
  return async () => {
    await guest.supervise('stop');
    await guest.supervise('steer 1');
  };
}
