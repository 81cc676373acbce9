// SPDX-License-Identifier: Apache-2.0

/** How L1 is run: `instruction` counts one virtual ns for each instruction; `realtime` is for functions only. */
export type Clock = 'instruction' | 'realtime';

export interface MachineOptions {
  clock: Clock;
  kernel: string;
  initramfs: string;
  /** Start with CPU 0 alone; `host/init.sh` brings up the others, with `turns` (turns.c) beside it. */
  startOneCpu: boolean;
  /** No timer tick on the DPDK CPU (`nohz_full`); with one, there is less to do each time it wakes. */
  tickless: boolean;
  /** L1's TSC rate, kHz. */
  tscKhz: number;
  memoryMiB: number;
  /** Huge pages of 2 MiB for guests and programs. */
  hugePages: number;
  /** NICs for DPDK programs, one for each guest. */
  dpdkNics: number;
  /**
   * The sender's NIC. The 82574's model (e1000e) raises one interrupt each 128 us at most, and two for each packet
   * from the first time on that packets come closer. The older 82540's does not, if configured so. (virtio-net would send
   * in another thread of the emulator: not on the instruction clock.)
   */
  senderNic: 'e1000e' | 'e1000,mitigation=off';
  /** With a device that interrupts on request, at `testDeviceAddress`. */
  testDevice: boolean;
}

/** In the folder of a run: what L1 and its guest print, and L1's events. */
export const runFiles = {
  hostConsole: 'host-console.log',
  guestConsole: 'guest-console.log',
  events: 'events.jsonl',
} as const;

/** Where L1 hears from L0 at times, a line each time. */
export const pulsePort = 'vmcall.pulse';
export const eventsPort = 'vmcall.events';
/** Where L1 is told what to do: orders.ts. */
export const ordersPort = 'vmcall.orders';
/** The sender's address, and the one of the nth NIC for DPDK, from 0 on. */
export const senderMac = '52:54:00:00:00:01';
export const dpdkMac = (nth: number) => `52:54:00:00:00:${(2 + nth).toString(16).padStart(2, '0')}`;

/**
 * PCI addresses in L1 of two devices for the kernel selftests, which interrupt when a register is written: QEMU's "edu"
 * (qemu: docs/specs/edu.rst), whose MSI cannot be masked, and "rocker" (docs/specs/rocker.txt), which has MSI-X.
 */
export const testDevices = { edu: '0000:00:12.0', rocker: '0000:00:13.0' } as const;

/** Under -icount shift=0 one instruction is one virtual nanosecond, so the TSC runs at 1 GHz. */
export const instructionClockTscKhz = 1_000_000;

/**
 * The kernel command line of L1. `tsc_early_khz` is what keeps guests alive: a calibration against the emulated
 * PIT fails on a busy machine, and KVM then runs every guest at a wrong TSC rate.
 */
export function hostCommandLine(options: MachineOptions): string {
  const { startOneCpu, tickless, tscKhz, hugePages } = options;
  return [
    'console=ttyS0 loglevel=4 panic=-1',
    `isolcpus=1 ${tickless ? 'nohz_full=1 rcu_nocbs=1 ' : ''}irqaffinity=0`,
    `tsc=reliable no_timer_check tsc_early_khz=${tscKhz}`,
    // No KASLR: the same addresses, and so the same instructions, in every run.
    `nokaslr psi=0 intel_iommu=on hugepages=${hugePages}`,
    // A NIC's throttling register may be set beside its driver (host/knobs.ts).
    'iomem=relaxed',
    ...(startOneCpu ? ['maxcpus=1'] : []),
  ].join(' ');
}

/** Descriptors that QEMU has from us: sockets for its monitor and for the orders. */
export const monitorDescriptor = 3;
export const ordersDescriptor = 4;

/**
 * Where the ports of a machine lead: no part of it, so that its image may be restored by a later run. Consoles and
 * events are added to what is in the folder of the run.
 */
export function backendArguments(run: string, clock: Clock): string[] {
  const file = (id: string, name: string) => [
    '-chardev',
    `file,id=${id},path=${escaped(`${run}/${name}`)},append=on`,
  ];
  const socket = (id: string, descriptor: number) => ['-chardev', `socket,id=${id},fd=${descriptor}`];
  return [
    ...file('host-console', runFiles.hostConsole),
    ...file('guest-console', runFiles.guestConsole),
    ...file('events', runFiles.events),
    ...socket('orders', ordersDescriptor),
    ...socket('monitor', monitorDescriptor),
    ...['-mon', 'chardev=monitor,mode=control'],
    ...(clock === 'realtime' ? ['-chardev', 'stdio,id=pulse,signal=off'] : []),
  ];
}

/** A comma ends a value, two are one (qemu: docs/system/invocation.rst). */
const escaped = (path: string) => path.replaceAll(',', ',,');

/** QEMU's words for L1: a q35 with an IOMMU, 82574 NICs on one hub, and this machine's root over 9p. */
export function machineArguments(options: MachineOptions): string[] {
  const { clock, kernel, initramfs, memoryMiB, dpdkNics, senderNic, testDevice } = options;
  const accelerator =
    clock === 'instruction'
      ? ['-accel', 'tcg,thread=single', '-icount', 'shift=0,sleep=off']
      : ['-accel', 'tcg,thread=multi'];
  // See host/pulse.ts.
  const pulse = clock === 'realtime' ? ['-device', `virtserialport,chardev=pulse,name=${pulsePort}`] : [];
  const nic = (name: string, slot: number, mac: string, model = 'e1000e') => [
    ...['-netdev', `hubport,id=${name},hubid=0`],
    ...['-device', `${model},netdev=${name},mac=${mac},addr=${slot.toString(16)}`],
  ];
  return [
    ...[
      '-machine',
      'q35,kernel-irqchip=split',
      ...accelerator,
      // Without ERMS and FSRM the kernel fills and copies memory by words, not by bytes: the emulator counts and
      // executes each of them.
      '-cpu',
      'max,-erms,-fsrm',
      '-smp',
      '2',
      '-m',
      `${memoryMiB}M`,
    ],
    ...['-nodefaults', '-no-user-config', '-display', 'none', '-no-reboot'],
    ...['-device', 'intel-iommu,intremap=on,caching-mode=on'],
    ...['-kernel', kernel, '-initrd', initramfs, '-append', hostCommandLine(options)],
    ...['-serial', 'chardev:host-console', '-serial', 'chardev:guest-console'],
    ...['-fsdev', 'local,id=root,path=/,security_model=none,readonly=on,multidevs=remap'],
    ...['-device', 'virtio-9p-pci,fsdev=root,mount_tag=root'],
    ...['-device', 'virtio-serial-pci'],
    ...['-device', `virtserialport,chardev=events,name=${eventsPort}`],
    ...['-device', `virtserialport,chardev=orders,name=${ordersPort}`],
    ...pulse,
    ...nic('sender', 0x10, senderMac, senderNic),
    ...Array.from({ length: dpdkNics }, (_, nth) => nic(`dpdk${nth}`, 0x11 + nth, dpdkMac(nth))).flat(),
    ...(testDevice ? ['-device', 'edu,addr=12', '-device', 'rocker,addr=13'] : []),
  ];
}
