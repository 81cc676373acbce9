// SPDX-License-Identifier: Apache-2.0
import { setTimeout as delay } from 'node:timers/promises';
import type { Plan } from '../plan.js';
import { dpdkCpu, dpdkVcpu } from './cpus.js';
import { GuestDataplane } from './dataplane.js';
import { emit } from './events.js';
import type { GuestMachine } from './guest-machine.js';
import { shell } from './guest-shell.js';
import { steerVfioInterrupts } from './nic.js';
import type { Steps } from './steps.js';
import { type GuestPath, TestBench } from './test-bench.js';

const idleThreshold = 300;
const kick: GuestPath = {
  name: 'pv-kick',
  policy: 'pv-kick',
  kvm: { irqfdHardirq: false, vcpuYield: false },
};

/** As in lost-wakeups.ts: the second packet of some pair comes between the last poll and arming. */
const aroundTheThreshold = { pattern: 'pair:290000:410000:400:4000', packets: 600, late: 1000, armDelay: 5 };
/**
 * The second packet comes while the lcore waits for a PV spinlock on its way to the HLT, or soon after; then nothing
 * for longer than the lock is ever held. A lock that is held for less than the kernel spins makes no HLT; the
 * holder gives way to the sender, or no packet would come meanwhile.
 */
const whileContended = { pattern: 'pair:400000:8400000:133000:100000', packets: 160, late: 60_000 };
const usualLimitUs = 10_000;
const longestLimitUs = 1_000_000;

interface Trial {
  program: string;
  contended: boolean;
}
/** The right program, and those that lack the second poll, the look, or both. */
const trials: readonly Trial[] = [
  { program: 'vmcall-dataplane', contended: false },
  { program: 'vmcall-dataplane-no-repoll-no-look', contended: false },
  { program: 'vmcall-dataplane', contended: true },
  { program: 'vmcall-dataplane-no-look', contended: true },
];

export const driverStepCount = trials.length + 3;

/** The guest driver: its wait loses nothing, and what it gave comes back however its user ends. */
export async function driver(plan: Plan, steps: Steps): Promise<void> {
  const bench = await TestBench.prepare(plan);
  const guest = await steps.take('booting the guest', () =>
    bench.startGuest({ nic: bench.nic, nth: 0 }, { pvSpinlocks: true }),
  );
  await shell(guest, 'rmmod vmcall; insmod /modules/vmcall_contend.ko hold_us=10000 idle_us=10000');
  for (const trial of trials)
    await steps.take(`${trial.program}${trial.contended ? ', a lock contended' : ''}`, () =>
      lostWakeups(bench, guest, trial),
    );
  await steps.take('who holds the vCPU', () => holding(bench, guest));
  await steps.take('under lockdown', () => lockedDown(bench, guest));
  await guest.stop();
}

async function startKick(
  bench: TestBench,
  guest: GuestMachine,
  program = 'vmcall-dataplane',
  armDelay?: number,
): Promise<GuestDataplane> {
  const dataplane = await GuestDataplane.start(guest, {
    program,
    policy: 'interrupt',
    idleThreshold,
    ...(armDelay === undefined ? {} : { armDelay }),
  });
  await bench.switchTo(guest, dataplane, kick);
  steerVfioInterrupts(bench.nic, dpdkCpu);
  return dataplane;
}

async function lostWakeups(
  bench: TestBench,
  guest: GuestMachine,
  { program, contended }: Trial,
): Promise<void> {
  const { armDelay, ...traffic } = contended
    ? { ...whileContended, armDelay: undefined }
    : aroundTheThreshold;
  const dataplane = await startKick(bench, guest, program, armDelay);
  await shell(guest, `echo ${contended ? 1 : 0} > /sys/module/vmcall/parameters/on`);
  const waited = async () => Number(await shell(guest, 'cat /sys/module/vmcall/parameters/waits'));
  // The driver's own limit would end the sleep that is to be seen.
  await shell(
    guest,
    `echo ${contended ? longestLimitUs : usualLimitUs} > /sys/module/vmcall/parameters/halt_limit_us`,
  );
  const before = await waited();
  await dataplane.reset();
  const { sent, received, late } = await bench.burst(traffic);
  const lockWaits = (await waited()) - before;
  await shell(guest, 'echo 0 > /sys/module/vmcall/parameters/on');
  const { rx_after_arm: foundAfterArming = 0 } = await dataplane.counters();
  const wakeups = { program, policy: 'pv-kick' as const, sent, received, late, foundAfterArming };
  emit({ type: 'wakeups', ...wakeups, lockWaits });
  await dataplane.stop();
}

/** MSR_KVM_POLL_CONTROL (linux: Documentation/virt/kvm/x86/msr.rst). */
const pollControl = '0x4b564d05';
const killedMs = 1500;

async function holding(bench: TestBench, guest: GuestMachine): Promise<void> {
  const cpu = dpdkVcpu;
  const facts: Record<string, string> = {};
  const note = async (name: string, command: string) => {
    facts[name] = await shell(guest, command);
  };
  const pause = () => delay(killedMs);
  await shell(guest, `echo ${usualLimitUs} > /sys/module/vmcall/parameters/halt_limit_us`);
  await note('taintedBefore', 'cat /proc/sys/kernel/tainted');
  await note('pollingBefore', `vmcall-claim msr ${cpu} ${pollControl}`);
  const dataplane = await startKick(bench, guest);
  facts.vcpuBy = String((await dataplane.command('/vmcall/info')).vcpu_by);
  await note('second', `vmcall-claim try ${cpu} halt`);
  await note('pollingHeld', `vmcall-claim msr ${cpu} ${pollControl}`);
  await shell(guest, 'kill -KILL $(pidof vmcall-dataplane)');
  await pause();
  await note('afterKill', `vmcall-claim try ${cpu} halt`);
  await note('pollingAfterKill', `vmcall-claim msr ${cpu} ${pollControl}`);
  // It halts in the driver when it is killed.
  await shell(guest, `(vmcall-claim halt ${cpu} > /run/halting 2>&1 &)`);
  await pause();
  await note('whileHalting', `vmcall-claim try ${cpu} halt`);
  await shell(guest, 'kill -KILL $(pidof vmcall-claim)');
  await pause();
  await note('afterKillOfHalting', `vmcall-claim try ${cpu} halt`);
  // Its CPU goes: nothing of it is left on, its next halt says so, and it is there for others again.
  await shell(guest, `(vmcall-claim halt ${cpu} > /run/halting 2>&1 &)`);
  await pause();
  await shell(guest, `echo 0 > /sys/devices/system/cpu/cpu${cpu}/online`);
  await pause();
  await note('haltingOnceOffline', 'cat /run/halting');
  await shell(guest, `echo 1 > /sys/devices/system/cpu/cpu${cpu}/online`);
  await pause();
  await note('pollingOnceOnline', `vmcall-claim msr ${cpu} ${pollControl}`);
  await note('onceOnline', `vmcall-claim try ${cpu} halt`);
  // The initramfs' own root is closed to others.
  await shell(guest, 'chmod 755 /; chown 0:99 /dev/vmcall; chmod 660 /dev/vmcall');
  await note('memberOfGroup', `vmcall-claim try ${cpu} halt 99`);
  await note('notOfGroup', `vmcall-claim try ${cpu} halt 98`);
  await note('tainted', 'cat /proc/sys/kernel/tainted');
  await note('warned', "dmesg | grep -A 12 'cut here' | cut -c 1-100 | head -40");
  emit({ type: 'driver', facts });
}

/** The kernel's lockdown, level integrity, as Secure Boot has it; the module was loaded before, unsigned as it is. */
async function lockedDown(bench: TestBench, guest: GuestMachine): Promise<void> {
  await shell(guest, 'mount -t securityfs securityfs /sys/kernel/security');
  await shell(guest, 'echo integrity > /sys/kernel/security/lockdown');
  const facts: Record<string, string> = {};
  facts.lockdown = await shell(guest, 'cat /sys/kernel/security/lockdown');
  const dataplane = await startKick(bench, guest);
  const { sent, received, late } = await bench.burst({ packets: 100 });
  facts.packets = `${sent} ${received} ${late}`;
  facts.policy = String((await dataplane.command('/vmcall/info')).policy);
  await dataplane.stop();
  emit({ type: 'driver', facts });
}
