// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import type { Plan } from '../plan.js';
import { readText, writeText } from './commands.js';
import { ControlPlane, filePrefix } from './control-plane.js';
import { dpdkCpu } from './cpus.js';
import { GuestDataplane } from './dataplane.js';
import { emit } from './events.js';
import type { GuestMachine } from './guest-machine.js';
import { steerVfioInterrupts } from './nic.js';
import type { Steps } from './steps.js';
import { TestBench } from './test-bench.js';

export const lockedDownStepCount = 6;

const lockdown = '/sys/kernel/security/lockdown';
const paths = ['vmcall', 'injected', 'vmcall'] as const;

/**
 * Host and guest locked down, level integrity, as Secure Boot has it; the modules were loaded before, unsigned as they
 * are. The host agent sets the switches, and each path has packets.
 */
export async function lockedDown(plan: Plan, steps: Steps): Promise<void> {
  const { programs, idleThreshold, packets } = plan;
  const bench = await TestBench.prepare(plan);
  const guest = await steps.take('booting the guest, by libvirt', () => bench.startGuest());
  await steps.take('locking host and guest down', async () => emit(await lock(guest)));
  const options = { programs, idleThreshold, interval: 10, say: (text: string) => steps.say(text) };
  const plane = await steps.take('starting host agent and guest agent', () =>
    ControlPlane.start(guest, options),
  );
  const dataplane = await GuestDataplane.attach(guest, filePrefix);
  steerVfioInterrupts(bench.nic, dpdkCpu);
  for (const path of paths)
    await steps.take(`${packets} packets, ${path}`, async () => {
      await plane.switchTo(path);
      const before = counted(guest);
      const { sent, received } = await bench.burst({ packets });
      const after = counted(guest);
      const { vcpu_by: vcpuBy } = await dataplane.command('/vmcall/info');
      emit({
        type: 'locked-down-burst',
        path,
        sent,
        received,
        vcpuBy: String(vcpuBy),
        yields: after.yields - before.yields,
        hardIrqs: after.hardIrqs - before.hardIrqs,
      });
    });
}

async function lock(guest: GuestMachine) {
  execFileSync('mount', ['-t', 'securityfs', 'securityfs', '/sys/kernel/security']);
  writeText(lockdown, 'integrity');
  const inGuest = (command: string) => guest.supervise(`sh ${command}`);
  await inGuest('mount -t securityfs securityfs /sys/kernel/security');
  await inGuest(`echo integrity > ${lockdown}`);
  return {
    type: 'locked-down',
    host: readText(lockdown),
    guest: await inGuest(`cat ${lockdown}`),
    // What the switches were before they were in sysfs: a file that can be written.
    debugfs: refusal(`${guest.kvmDebugfs}/halt_wait_ns`),
  } as const;
}

/** Why a file cannot be opened to be written. */
function refusal(file: string): string {
  try {
    closeSync(openSync(file, 'r+'));
    return '';
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? String(error);
  }
}

const counted = ({ kvmFolder }: GuestMachine) => ({
  yields: Number(readText(`${kvmFolder}/vcpu_yields`)),
  hardIrqs: Number(readText(`${kvmFolder}/irqfd_hardirq_taken`)),
});
