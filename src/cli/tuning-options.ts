// SPDX-License-Identifier: Apache-2.0
import { type Command, InvalidArgumentError, Option } from 'commander';
import { FileHost } from '../../host-agent/host/host.js';
import { SystemCommands } from '../../host-agent/host/host-commands.js';
import { pciAddressSchema } from '../../host-agent/host/pci-address.js';
import { parseCpus } from '../../host-agent/tuning/cpu-set.js';
import type { TunedDomain } from '../../host-agent/tuning/domain.js';
import { defaultStateFolder } from '../../host-agent/tuning/journal.js';
import type { HostSystem } from '../../host-agent/tuning/knob.js';
import { LibvirtDomains } from '../../host-agent/tuning/libvirt-domain.js';
import { QemuProcesses } from '../../host-agent/tuning/qemu-process.js';
import type { TuneRequest } from '../../host-agent/tuning/request.js';
import { describeError, exitCodes, VmcallError } from '../support/errors.js';

export interface TargetOptions {
  pin?: Map<number, number>;
  nic?: Map<string, readonly number[] | null>;
  cpu?: number[];
  maxExitLatency?: number;
}

/** This host itself. @param uri of the libvirt that pins threads; without it they are pinned themselves */
export function thisSystem(uri?: string): HostSystem {
  const host = new FileHost('/', new SystemCommands());
  const processes = new QemuProcesses(host);
  return { host, domains: uri === undefined ? processes : new LibvirtDomains(uri, processes) };
}

export const pinningOption = () =>
  new Option('-c, --connect <uri>', 'pin through this libvirt, whose view of the domain so stays true');

function number(text: string, what: string, max: number): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value > max) throw new InvalidArgumentError(`"${text}" is not ${what}.`);
  return value;
}

function pin(text: string, pins = new Map<number, number>()): Map<number, number> {
  const [vcpu = '', cpu = ''] = text.split('=');
  return pins.set(number(vcpu, 'a vCPU, as in --pin 1=5', 4095), number(cpu, 'a CPU, as in --pin 1=5', 8191));
}

function nic(text: string, nics = new Map<string, readonly number[] | null>()) {
  const [address = '', cpus] = text.toLowerCase().split('=');
  if (!pciAddressSchema.safeParse(address).success)
    throw new InvalidArgumentError(`"${address}" is not a PCI address such as 0000:81:00.0.`);
  // In the order that was given: each queue's.
  return nics.set(
    address,
    cpus === undefined ? null : cpus.split(',').map((cpu) => number(cpu, 'a CPU', 8191)),
  );
}

export function cpuList(text: string): number[] {
  try {
    return parseCpus(text);
  } catch (error) {
    throw new InvalidArgumentError(describeError(error));
  }
}

export function addTargetOptions(command: Command): Command {
  return command
    .argument('[domain]', 'name, id or UUID of a running domain; else the process id of a QEMU')
    .option('--pin <vcpu=cpu>', 'a DPDK vCPU, and the CPU it runs on unless it is pinned (repeatable)', pin)
    .option(
      '--nic <address[=cpu,...]>',
      "a NIC, and its interrupts' CPU, or one for each queue (repeatable)",
      nic,
    )
    .option('--cpu <list>', 'CPUs of a DPDK program on the host itself, without a domain', cpuList)
    .option('--max-exit-latency <us>', 'deepest idle state allowed, by its exit latency', (text) =>
      number(text, 'a time in us', 2_000_000_000),
    );
}

export const stateOption = () =>
  new Option('--state <folder>', 'where the record of changes is kept').default(defaultStateFolder);

/** Throws `NO_DOMAIN`, and a usage error where CPUs come from two sides. */
export async function requestOf(
  system: HostSystem,
  name: string | undefined,
  options: TargetOptions,
): Promise<TuneRequest> {
  let domain: TunedDomain | null = null;
  if (name !== undefined) {
    domain = await system.domains.find(name);
    if (!domain)
      throw new VmcallError(
        'NO_DOMAIN',
        `no running QEMU process is "${name}"`,
        'Start it; give its name, id or UUID (virsh list --uuid --name), or its process id.',
        exitCodes.usage,
      );
  }
  if (domain ? options.cpu : options.pin)
    throw new VmcallError(
      'USAGE',
      domain ? '--cpu is for a DPDK program on the host' : '--pin needs a domain',
      domain ? 'Say --pin VCPU=CPU for a domain.' : 'Name the domain, or say --cpu.',
      exitCodes.usage,
    );
  return {
    domain,
    pins: options.pin ?? new Map(),
    nics: options.nic ?? new Map(),
    cpus: options.cpu ?? [],
    maxExitLatency: options.maxExitLatency ?? null,
  };
}
