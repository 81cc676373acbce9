// SPDX-License-Identifier: Apache-2.0
import { existsSync, readdirSync, readlinkSync } from 'node:fs';
import { basename } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { interruptThread, readText, run, writeText } from './commands.js';

/** Gives a PCI function to `driver` (`vfio-pci`, `e1000e`), taking it from whichever has it. */
export function bind(address: string, driver: string): void {
  const device = `/sys/bus/pci/devices/${address}`;
  const current = existsSync(`${device}/driver`) && basename(readlinkSync(`${device}/driver`));
  if (current === driver) return;
  if (current) writeText(`${device}/driver/unbind`, address);
  writeText(`${device}/driver_override`, driver);
  writeText('/sys/bus/pci/drivers_probe', address);
}

/** The network interface with a MAC address, and the PCI function under it. */
export function findInterface(mac: string): { name: string; address: string } {
  for (const name of readdirSync('/sys/class/net')) {
    if (readText(`/sys/class/net/${name}/address`) !== mac) continue;
    return { name, address: basename(readlinkSync(`/sys/class/net/${name}/device`)) };
  }
  throw new Error(`no network interface has the address ${mac}`);
}

/** Tries for a carrier, 100 ms apart: the emulated NIC negotiates its link for half a second. */
const carrierTries = 100;

/** Brings an interface up with nothing of the kernel's own on the wire: no IPv6, no ARP. */
export async function bringUpQuiet(name: string): Promise<void> {
  writeText(`/proc/sys/net/ipv6/conf/${name}/disable_ipv6`, '1');
  await run('ip', 'link', 'set', name, 'up', 'promisc', 'on', 'arp', 'off');
  for (let attempt = 1; readText(`/sys/class/net/${name}/carrier`) !== '1'; attempt++) {
    if (attempt === carrierTries) throw new Error(`${name} has no carrier`);
    await delay(100);
  }
}

/** Interrupt numbers whose action name holds `name`, from /proc/interrupts. */
export function interruptsNamed(name: string): number[] {
  return readText('/proc/interrupts')
    .split('\n')
    .filter((line) => line.includes(name))
    .map((line) => Number(line.split(':')[0]));
}

/**
 * Gives the threads that handle an interface's received packets a FIFO priority. A sender that spins for a reply
 * must be below them, or the reply never reaches it.
 */
export async function prioritiseReceive(name: string, fifoPriority: number): Promise<void> {
  const forReception = interruptsNamed(`${name}-rx`);
  // An older NIC has one for everything.
  for (const irq of forReception.length > 0 ? forReception : interruptsNamed(name))
    await run('chrt', '-f', '-p', String(fifoPriority), String(interruptThread(irq)));
}

/** Steers a PCI function's VFIO interrupts to one CPU. */
export function steerVfioInterrupts(address: string, cpu: number): void {
  for (const irq of interruptsNamed(`(${address})`))
    writeText(`/proc/irq/${irq}/smp_affinity_list`, String(cpu));
}

/** Tells how often a PCI function's VFIO interrupts have come, on all CPUs together. */
export function interruptCounter(address: string): () => number {
  const files = interruptsNamed(`(${address})`).map((irq) => `/sys/kernel/irq/${irq}/per_cpu_count`);
  return () =>
    files.flatMap((file) => readText(file).split(',')).reduce((total, count) => total + Number(count), 0);
}
