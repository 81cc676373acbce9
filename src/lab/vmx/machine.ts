// SPDX-License-Identifier: Apache-2.0

/** Instructions a second of emulated time. Nothing slows the emulator down to it: time is what it has run. */
const instructionsPerSecond = 200_000_000;
const memoryMiB = 1024;

export interface VmxMachine {
  bios: string;
  vgaBios: string;
  /** The bootable CD: see image.ts. */
  image: string;
  /** Where the serial port writes to. */
  serial: string;
  log: string;
}

/**
 * A PC with two CPUs of Intel's Skylake-X, as Bochs' configuration file: VMX with EPT, unrestricted guest, VPID,
 * preemption timer, APICv and posted interrupts, but no IPI virtualization and no VT-d. Other models either lack APICv
 * or do not boot all the kernels. One thread runs both CPUs in turns.
 */
export function bochsConfiguration({ bios, vgaBios, image, serial, log }: VmxMachine): string {
  return `display_library: nogui
romimage: file="${bios}"
vgaromimage: file="${vgaBios}"
memory: guest=${memoryMiB}, host=${memoryMiB}
cpu: model=corei7_skylake_x, count=2, ips=${instructionsPerSecond}, reset_on_triple_fault=0, ignore_bad_msrs=1
clock: sync=none, time0=1000000000
pci: enabled=1, chipset=i440fx
boot: cdrom
ata0: enabled=1, ioaddr1=0x1f0, ioaddr2=0x3f0, irq=14
ata0-master: type=cdrom, path="${image}", status=inserted
com1: enabled=1, mode=file, dev="${serial}"
log: "${log}"
panic: action=fatal
error: action=ignore
info: action=ignore
debug: action=ignore
`;
}

/** The kernel's command line: the TSC's rate is told, for to measure it against the emulated PIT takes its time. */
export const kernelWords = [
  'console=ttyS0,115200 loglevel=3 panic=-1 rdinit=/init',
  'mitigations=off nokaslr nowatchdog init_on_alloc=0',
  `tsc=reliable tsc_early_khz=${instructionsPerSecond / 1000}`,
].join(' ');
