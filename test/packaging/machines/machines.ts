// SPDX-License-Identifier: Apache-2.0
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { openSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { execa } from 'execa';
import type { Side } from '../containers.js';

/** Of the host for libvirt's guests, and what the guest's disk has been given. */
const guestAddress = '192.168.122.10';
/** NICs of the emulated host: who sends packets, and the one for the guest, at this address. */
export const senderMac = '52:54:00:00:00:01';
export const dpdkNic = { bus: 0, slot: 0x11, function: 0 } as const;

export interface MachinesOptions {
  /** A raw disk that boots; see make-disk.sh. The guest's is a file on it. */
  disk: string;
  /** The private half of the key that lets in. */
  key: string;
  /** Where the console's log is kept. */
  folder: string;
  /** TCP port of this machine that leads to the host's ssh. */
  port: number;
}

/**
 * A PC that is emulated, functions and not times: AMD-V, an IOMMU, two 82574 on one wire, four CPUs. An RT kernel's KVM
 * wants a TSC of a constant rate (linux: arch/x86/kvm/x86.c), which QEMU's emulated CPUs do not claim; on what looks
 * like VMware Linux believes in one (arch/x86/kernel/cpu/vmware.c).
 */
function machineArguments({ disk, folder, port }: MachinesOptions): string[] {
  const nic = (name: string, slot: number, mac: string) => [
    ...['-netdev', `hubport,id=${name},hubid=0`],
    ...['-device', `e1000e,netdev=${name},mac=${mac},addr=${slot.toString(16)}`],
  ];
  return [
    ...['-machine', 'q35,kernel-irqchip=split,vmport=on', '-accel', 'tcg,thread=multi'],
    ...['-cpu', 'max,-erms,-fsrm,-hypervisor', '-smp', '4', '-m', '4G'],
    ...['-smbios', 'type=1,serial=VMware-0'],
    ...['-nodefaults', '-no-user-config', '-display', 'none'],
    ...['-device', 'intel-iommu,intremap=on,caching-mode=on'],
    ...['-drive', `file=${disk},format=raw,if=none,id=disk,cache=unsafe`],
    ...['-device', 'virtio-blk-pci,drive=disk,addr=3,bootindex=0'],
    ...['-netdev', `user,id=net,restrict=on,hostfwd=tcp:127.0.0.1:${port}-:22`],
    ...['-device', 'virtio-net-pci,netdev=net,addr=4'],
    ...['-serial', `file:${join(folder, 'console.log')}`],
    ...nic('sender', 0x10, senderMac),
    ...nic('dpdk', dpdkNic.slot, '52:54:00:00:00:02'),
  ];
}

/** What a command ended with. */
export interface Ended {
  exitCode: number | undefined;
  all: string;
  stdout: string;
}

/** An emulated host that has booted from its own disk, and its guest; asked by ssh. */
export class Machines {
  private constructor(
    private readonly qemu: ChildProcess,
    private readonly options: MachinesOptions,
  ) {}

  static start(options: MachinesOptions): Machines {
    const log = openSync(join(options.folder, 'qemu.log'), 'a');
    const words = ['--pdeathsig', 'KILL', 'qemu-system-x86_64', ...machineArguments(options)];
    return new Machines(spawn('setpriv', words, { stdio: ['ignore', log, log] }), options);
  }

  /** A command line of root's there. */
  async run(side: Side, command: string, timeout = 1_200_000): Promise<Ended> {
    const { exitCode, all, stdout } = await execa('ssh', [...this.#ssh(side), command], {
      stdin: 'ignore',
      all: true,
      reject: false,
      timeout,
    });
    return { exitCode, all, stdout };
  }

  /** Resolves when it has booted, or booted once more since `before`; gives what this boot is called. */
  async booted(side: Side, before?: string): Promise<string> {
    for (;;) {
      if (this.qemu.exitCode !== null) throw new Error(`the emulator ended; see ${this.options.folder}`);
      const ask = 'cat /proc/sys/kernel/random/boot_id; systemctl is-system-running';
      const { stdout } = await this.run(side, ask, 60_000);
      const [boot = '', state = ''] = stdout.split('\n');
      if (boot !== '' && boot !== before && /^(?:running|degraded)$/.test(state)) return boot;
      await delay(3_000);
    }
  }

  /** Reboots it by its own command, and waits for it. */
  async reboot(side: Side): Promise<void> {
    const before = (await this.run(side, 'cat /proc/sys/kernel/random/boot_id')).stdout;
    await this.run(side, 'systemctl reboot', 60_000);
    await this.booted(side, before);
  }

  /** Ends with its disk in order. */
  async powerOff(): Promise<void> {
    const ended = this.qemu.exitCode === null ? once(this.qemu, 'exit') : undefined;
    await this.run('host', 'systemctl poweroff', 60_000);
    await ended;
  }

  kill(): void {
    this.qemu.kill('SIGKILL');
  }

  #ssh(side: Side): string[] {
    const { key, port } = this.options;
    const options = [
      ...['-i', key, '-o', 'StrictHostKeyChecking=no', '-o', 'UserKnownHostsFile=/dev/null'],
      ...['-o', 'LogLevel=ERROR', '-o', 'ConnectTimeout=30', '-o', 'BatchMode=yes'],
    ];
    if (side === 'host') return [...options, '-p', String(port), 'root@127.0.0.1'];
    const through = ['ssh', ...options, '-p', String(port), '-W', '%h:%p', 'root@127.0.0.1'].join(' ');
    return [...options, '-o', `ProxyCommand=${through}`, `root@${guestAddress}`];
  }
}
