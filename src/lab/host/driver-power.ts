// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { projectRoot } from '../../support/paths.js';
import type { Plan } from '../plan.js';
import { dpdkVcpu } from './cpus.js';
import { emit } from './events.js';
import type { GuestMachine } from './guest-machine.js';
import { shell } from './guest-shell.js';
import type { Steps } from './steps.js';
import { TestBench } from './test-bench.js';

export const driverPowerStepCount = 4;

/** MSR_KVM_POLL_CONTROL (linux: Documentation/virt/kvm/x86/msr.rst): what the driver has on, or not, for its holder. */
const pollControl = '0x4b564d05';
const readPolling = `vmcall-claim msr ${dpdkVcpu} ${pollControl}`;
const tryHalt = `vmcall-claim try ${dpdkVcpu} halt`;
const bootId = 'cat /proc/sys/kernel/random/boot_id';
const settleMs = 1500;
/** A guest boots in some ten seconds of the lab's clock. */
const bootTimeout = 60_000;

/** What the guest driver leaves on when its system sleeps or another kernel starts; who may use it. */
export async function driverPower(plan: Plan, steps: Steps): Promise<void> {
  const bench = await TestBench.prepare(plan);
  const guest = await steps.take('booting the guest', () => bench.startGuest());
  await steps.take('the group, by udev', () => group(guest));
  await steps.take('kexec', () => kexec(plan, guest));
  // A guest that has slept has lost 9p.
  await steps.take('suspend', () => suspend(guest));
  await guest.stop();
}

const facts = (facts: Record<string, string>) => emit({ type: 'driver', facts });

/** As on an installed system: sysusers makes the group, udev gives it the device. Both are the machine's own. */
async function group(guest: GuestMachine): Promise<void> {
  const driver = `/host${join(projectRoot, 'guest-agent', 'driver')}`;
  await shell(guest, 'mkdir -p /host /run/root/etc /run/udev/rules.d; chmod 755 /');
  await shell(guest, 'mount -t 9p -o ro,trans=virtio,version=9p2000.L,msize=512000,cache=loose host /host');
  await shell(guest, 'for each in proc sys dev run; do mount --rbind /$each /host/$each; done');
  await shell(
    guest,
    `cp ${driver}/60-vmcall.rules /run/udev/rules.d; cp ${driver}/vmcall.sysusers /run/vmcall.conf`,
  );
  await shell(guest, 'cp /host/etc/group /host/etc/passwd /run/root/etc');
  const sysusers = await shell(guest, 'chroot /host systemd-sysusers --root=/run/root /run/vmcall.conf');
  await shell(guest, 'mount --bind /run/root/etc/group /host/etc/group');
  await shell(guest, 'SYSTEMD_IGNORE_CHROOT=1 chroot /host /lib/systemd/systemd-udevd --daemon');
  await shell(
    guest,
    'SYSTEMD_IGNORE_CHROOT=1 chroot /host udevadm trigger --settle --action=add /sys/class/misc/vmcall',
  );
  const gid = await shell(guest, 'grep ^vmcall: /run/root/etc/group | cut -d: -f3');
  facts({
    sysusers,
    gid,
    device: await shell(guest, "stat -c '%a %u %g' /dev/vmcall"),
    memberByUdev: await shell(guest, `${tryHalt} ${gid}`),
    strangerByUdev: await shell(guest, `${tryHalt} 65534`),
  });
}

/** The kernel's own test of suspend: everything but the last step, and back after some seconds. */
async function suspend(guest: GuestMachine): Promise<void> {
  const trace = '/sys/kernel/tracing';
  await shell(guest, `(vmcall-claim halt ${dpdkVcpu} > /run/halting 2>&1 &)`);
  await delay(settleMs);
  const pollingBefore = await shell(guest, readPolling);
  await shell(
    guest,
    `mount -t tracefs tracefs ${trace}; cd ${trace}; echo 'msr==${pollControl}' > events/msr/write_msr/filter`,
  );
  await shell(
    guest,
    `cd ${trace}; echo 1 > events/msr/write_msr/enable; echo 1 > /sys/module/suspend/parameters/pm_test_delay`,
  );
  const slept = await shell(
    guest,
    'echo platform > /sys/power/pm_test; echo freeze > /sys/power/state && echo slept',
  );
  const written = await shell(guest, `grep -o 'value [0-9a-f]*' ${trace}/trace | tr '\\n' ' '`);
  await shell(guest, `echo 0 > ${trace}/events/msr/write_msr/enable`);
  facts({
    pollingBeforeSleep: pollingBefore,
    slept,
    writtenBySleep: written,
    pollingAfterSleep: await shell(guest, readPolling),
    heldAfterSleep: await shell(guest, tryHalt),
    halting: await shell(guest, 'cat /run/halting'),
  });
}

/** Another kernel, while a program holds and halts the vCPU, of which nobody is told. */
async function kexec(plan: Plan, guest: GuestMachine): Promise<void> {
  await shell(guest, `(vmcall-claim halt ${dpdkVcpu} > /run/halting 2>&1 &)`);
  await delay(settleMs);
  const pollingBeforeKexec = await shell(guest, readPolling);
  const bootBefore = await shell(guest, bootId);
  const ready = guest.supervisor.next(bootTimeout, (line) => line.startsWith('ready '));
  guest.supervisor.send(`sh vmcall-kexec /host${plan.kernel} /host${plan.guestInitramfs}`);
  await ready;
  facts({
    pollingBeforeKexec,
    anotherBoot: String((await shell(guest, bootId)) !== bootBefore),
    pollingAfterKexec: await shell(guest, readPolling),
    afterKexec: await shell(guest, tryHalt),
  });
}
