// SPDX-License-Identifier: Apache-2.0
import { type ChildProcess, spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { schedule } from './commands.js';
import { LineChannel } from './lines.js';
import { Qmp } from './qmp.js';

/** CPUs of L1, the host under test: everything but the DPDK vCPU runs on the first. */
export const housekeepingCpu = 0;
export const dpdkCpu = 1;

/**
 * The DPDK vCPU's real-time priority. Below the kernel's irq threads (FIFO 50): a vCPU that spins above them
 * starves the threaded VFIO handler for good.
 */
export const vcpuPriority = 10;

/** The DPDK vCPU of the guest; vCPU 0 does the guest's housekeeping. */
export const dpdkVcpu = 1;

const memoryMiB = 768;
/** Huge pages of 2 MiB for the program in the guest; l3fwd-power's tables need the most. */
const guestHugePages = 128;
/** A guest boots in some ten seconds of the lab's clock; a hung one never does. */
const bootTimeout = 60_000;

const kernelCommandLine = [
  'console=ttyS0 loglevel=4 panic=-1',
  `isolcpus=${dpdkVcpu} nohz_full=${dpdkVcpu} rcu_nocbs=${dpdkVcpu} irqaffinity=0`,
  // The NIC's registers may be written beside its driver (`poke` of guest/init.sh).
  'iomem=relaxed',
  // No KASLR: the same addresses, and so the same instructions, in every run. No PV spinlocks, as a guest
  // with CPUs of its own has none (libvirt: hint-dedicated, which would also make it poll when idle).
  `tsc=reliable no_timer_check nokaslr nopvspin intel_iommu=on iommu=pt hugepages=${guestHugePages}`,
].join(' ');

/** L2: a KVM guest with the NIC passed through, as libvirt would start it for a DPDK guest. */
export class GuestMachine {
  private constructor(
    private readonly qemu: ChildProcess,
    readonly qmp: Qmp,
    readonly supervisor: LineChannel,
    readonly control: LineChannel,
    readonly vcpuThreads: readonly number[],
    /** The NIC's PCI address as the guest sees it. */
    readonly nic: string,
    readonly kernelRelease: string,
  ) {}

  static async start(options: {
    kernel: string;
    initramfs: string;
    nic: string;
    folder: string;
  }): Promise<GuestMachine> {
    const { kernel, initramfs, nic, folder } = options;
    const socket = (name: string) => `${folder}/${name}.sock`;
    const port = (name: string) => [
      ...['-chardev', `socket,id=${name},path=${socket(name)},server=on,wait=off`],
      ...['-device', `virtserialport,chardev=${name},name=vmcall.${name}`],
    ];
    const qemu = spawn(
      'qemu-system-x86_64',
      [
        ...['-machine', 'q35,kernel-irqchip=on', '-accel', 'kvm', '-cpu', 'host', '-smp', '2'],
        ...['-m', `${memoryMiB}M`, '-mem-path', '/dev/hugepages', '-mem-prealloc'],
        ...['-nodefaults', '-no-user-config', '-display', 'none', '-no-reboot'],
        ...['-device', 'intel-iommu,intremap=off,caching-mode=on'],
        ...['-device', `vfio-pci,host=${nic},rombar=0`],
        ...['-device', 'virtio-serial-pci', ...port('supervisor'), ...port('control')],
        ...['-qmp', `unix:${socket('qmp')},server=on,wait=off`],
        ...['-serial', 'file:/dev/ttyS1'],
        ...['-kernel', kernel, '-initrd', initramfs, '-append', kernelCommandLine],
      ],
      { stdio: ['ignore', 'inherit', 'inherit'] },
    );
    const ended = new Promise<never>((_, reject) => {
      qemu.once('error', reject);
      qemu.once('exit', (code, signal) =>
        reject(new Error(`the guest's QEMU ended (${signal ?? `exit code ${code}`})`)),
      );
    });
    ended.catch(() => {});
    return Promise.race([GuestMachine.#connect(qemu, socket), ended]);
  }

  static async #connect(qemu: ChildProcess, socket: (name: string) => string): Promise<GuestMachine> {
    const qmp = await Qmp.connect(socket('qmp'));
    const cpus = (await qmp.execute('query-cpus-fast')) as { 'cpu-index': number; 'thread-id': number }[];
    const threads = cpus.sort((a, b) => a['cpu-index'] - b['cpu-index']).map((cpu) => cpu['thread-id']);
    const dpdkThread = threads[dpdkVcpu];
    if (dpdkThread === undefined) throw new Error(`the guest has no vCPU ${dpdkVcpu}`);
    await schedule(dpdkThread, dpdkCpu, vcpuPriority);
    const supervisor = await LineChannel.connect('guest supervisor', socket('supervisor'));
    const control = await LineChannel.connect('guest control', socket('control'));
    const ready = await supervisor
      .next(bootTimeout, (line) => line.startsWith('ready '))
      .catch(async (cause: unknown) => {
        const registers = await qmp.execute('human-monitor-command', { 'command-line': 'info registers -a' });
        throw new Error(`the guest did not boot in ${bootTimeout / 1000} s; its vCPUs:\n${registers}`, {
          cause,
        });
      });
    const [, nic = '', kernelRelease = ''] = ready.split(' ');
    return new GuestMachine(qemu, qmp, supervisor, control, threads, nic, kernelRelease);
  }

  get pid(): number {
    if (this.qemu.pid === undefined) throw new Error('QEMU never started');
    return this.qemu.pid;
  }

  get dpdkThread(): number {
    const thread = this.vcpuThreads[dpdkVcpu];
    if (thread === undefined) throw new Error(`the guest has no vCPU ${dpdkVcpu}`);
    return thread;
  }

  /** This VM's folder in KVM's debugfs, where the administrator's switch is. */
  get kvmFolder(): string {
    const name = readdirSync('/sys/kernel/debug/kvm').find((entry) => entry.startsWith(`${this.pid}-`));
    if (!name) throw new Error(`KVM's debugfs has no folder for process ${this.pid}`);
    return `/sys/kernel/debug/kvm/${name}`;
  }

  /** Asks the guest's supervisor loop (guest/init.sh); `timeout` in ms of the lab's clock. */
  async supervise(request: string, timeout = 120_000): Promise<string> {
    return this.supervisor.ask(request, timeout);
  }

  async stop(): Promise<void> {
    const exited = new Promise<void>((resolve) => this.qemu.once('exit', () => resolve()));
    await this.qmp.execute('quit').catch(() => {});
    await exited;
  }
}
