// SPDX-License-Identifier: Apache-2.0
import { existsSync, readdirSync, symlinkSync } from 'node:fs';
import type { Domain } from '../../../host-agent/native/domain.js';
import { LineChannel } from '../lines.js';
import { lockdepRuns } from '../lockdep.js';
import { Qmp } from '../qmp.js';
import { readText } from './commands.js';
import { dpdkVcpu } from './cpus.js';
import { domainXml, type Identity, identityOf } from './domain-xml.js';
import { Libvirtd } from './libvirtd.js';

/** Huge pages of 2 MiB for the program in the guest; l3fwd-power's tables need the most. */
const usualGuest = { nth: 0, memoryMiB: 768, hugePages: 128, isPinned: true, pvSpinlocks: false };
/** A guest boots in some ten seconds of the lab's clock; a hung one never does. */
const bootTimeout = 60_000;

/**
 * On an AMD CPU the guest's kernel looks for an AGP bridge, which asks QEMU 8,192 times for a PCI device: minutes on a
 * host whose kernel checks itself. Not there: the instructions of a usual run stay what they are.
 */
const aperture = lockdepRuns() === null ? '' : ',noaperture';

const kernelCommandLine = (hugePages: number, pvSpinlocks: boolean) =>
  [
    'console=ttyS0 loglevel=4 panic=-1',
    `isolcpus=${dpdkVcpu} nohz_full=${dpdkVcpu} rcu_nocbs=${dpdkVcpu} irqaffinity=0`,
    // The NIC's registers may be written beside its driver (`poke` of guest/init.sh).
    'iomem=relaxed',
    // No KASLR: the same addresses, and so the same instructions, in every run. No PV spinlocks, as a guest
    // with CPUs of its own has none (libvirt: hint-dedicated, which would also make it poll when idle).
    `tsc=reliable no_timer_check nokaslr${pvSpinlocks ? '' : ' nopvspin'} intel_iommu=on iommu=pt${aperture} hugepages=${hugePages}`,
  ].join(' ');

/** A guest that ran once runs in the libvirtd that was started for it. */
let libvirtd: Promise<Libvirtd> | undefined;

const ports = ['supervisor', 'control'] as const;

/** L2: a KVM guest with the NIC passed through, a domain of libvirt's. */
export class GuestMachine {
  private constructor(
    readonly libvirtd: Libvirtd,
    private readonly identity: Identity,
    private readonly folder: string,
    readonly pid: number,
    readonly qmp: Qmp,
    readonly supervisor: LineChannel,
    readonly control: LineChannel,
    readonly vcpuThreads: readonly number[],
    /** The NIC's PCI address as the guest sees it. */
    readonly nic: string,
    readonly kernelRelease: string,
  ) {}

  /** Defines the domain again and starts it. */
  static async start(options: {
    kernel: string;
    initramfs: string;
    nic: string;
    folder: string;
    /** Which of the lab's guests, from 0 on. */
    nth?: number;
    memoryMiB?: number;
    hugePages?: number;
    /** Each thread where it belongs, the DPDK vCPU in real time. */
    isPinned?: boolean;
    /** Its kernel halts while a spinlock is held by another vCPU. */
    pvSpinlocks?: boolean;
  }): Promise<GuestMachine> {
    const { kernel, initramfs, nic, folder, nth, memoryMiB, hugePages, isPinned, pvSpinlocks } = {
      ...usualGuest,
      ...options,
    };
    libvirtd ??= Libvirtd.start();
    const { connection } = await libvirtd;
    const identity = identityOf(nth);
    linkLog(identity.name);
    const socket = socketsIn(folder);
    const domain = await connection.defineDomain(
      domainXml({
        identity,
        isPinned,
        memoryMiB,
        kernel,
        initramfs,
        nic,
        commandLine: kernelCommandLine(hugePages, pvSpinlocks),
        ports: Object.fromEntries(ports.map((name) => [name, socket(name)])),
        monitor: socket('qmp'),
        console: '/dev/ttyS1',
      }),
    );
    await domain.start();
    return GuestMachine.#connect(await libvirtd, identity, folder);
  }

  /** Starts its domain once more, as it is defined, after it ended. */
  async startAgain(): Promise<GuestMachine> {
    await (await this.domain()).start();
    return GuestMachine.#connect(this.libvirtd, this.identity, this.folder);
  }

  /** Looked up again each time: libvirtd may be another than before. */
  async domain(): Promise<Domain> {
    return this.libvirtd.connection.domainByUuid(this.identity.uuid);
  }

  static async #connect(libvirtd: Libvirtd, identity: Identity, folder: string): Promise<GuestMachine> {
    const socket = socketsIn(folder);
    const qmp = await Qmp.connect(socket('qmp'));
    const cpus = (await qmp.execute('query-cpus-fast')) as { 'cpu-index': number; 'thread-id': number }[];
    const threads = cpus.sort((a, b) => a['cpu-index'] - b['cpu-index']).map((cpu) => cpu['thread-id']);
    const supervisor = await LineChannel.connect('guest supervisor', socket('supervisor'));
    const control = await LineChannel.connect('guest control', socket('control'));
    const ready = await supervisor
      .next(bootTimeout, (line) => line.startsWith('ready '))
      .catch(async (cause: unknown) => {
        const registers = await qmp.execute('human-monitor-command', { 'command-line': 'info registers -a' });
        throw new Error(`the guest did not boot; its vCPUs:\n${registers}`, { cause });
      });
    const [, nic = '', kernelRelease = ''] = ready.split(' ');
    const pid = Number(readText(`/run/libvirt/qemu/${identity.name}.pid`));
    return new GuestMachine(
      ...([libvirtd, identity, folder, pid, qmp, supervisor, control, threads, nic, kernelRelease] as const),
    );
  }

  get dpdkThread(): number {
    return this.#thread(dpdkVcpu);
  }

  /** Of the vCPU that does the guest's housekeeping. */
  get housekeepingThread(): number {
    return this.#thread(1 - dpdkVcpu);
  }

  #thread(vcpu: number): number {
    const thread = this.vcpuThreads[vcpu];
    if (thread === undefined) throw new Error(`the guest has no vCPU ${vcpu}`);
    return thread;
  }

  /** This VM's folder in sysfs, where the series has the administrator's switches and its counters. */
  get kvmFolder(): string {
    return this.#folderIn('/sys/kernel/kvm');
  }

  /** Its folder in debugfs, where KVM has all of its counters. */
  get kvmDebugfs(): string {
    return this.#folderIn('/sys/kernel/debug/kvm');
  }

  #folderIn(home: string): string {
    const name = readdirSync(home).find((entry) => entry.startsWith(`${this.pid}-`));
    if (!name) throw new Error(`${home} has no folder for process ${this.pid}`);
    return `${home}/${name}`;
  }

  /** Asks the guest's supervisor loop (guest/init.sh); `timeout` in ms of the lab's clock. */
  async supervise(request: string, timeout = 120_000): Promise<string> {
    return this.supervisor.ask(request, timeout);
  }

  async stop(): Promise<void> {
    await (await this.domain()).destroy();
  }
}

const socketsIn = (folder: string) => (name: string) => `${folder}/${name}.sock`;

/** What is in this folder is on the host's console when all is over. */
function linkLog(name: string): void {
  const link = `/run/lab/${name}-qemu.log`;
  if (!existsSync(link)) symlinkSync(`/var/log/libvirt/qemu/${name}.log`, link);
}
