// SPDX-License-Identifier: Apache-2.0
import { z } from 'zod';
import { pciAddressSchema } from '../host/pci-address.js';
import { type Scheduling, schedulingSchema } from '../host/scheduling.js';

const cpuListSchema = z.string().regex(/^\d+(-\d+)?(,\d+(-\d+)?)*$/, 'a CPU list is written 2,4-7');

/** What tuning needs to know of one running domain. */
export const tunedDomainFactsSchema = z.strictObject({
  name: z.string().min(1).max(256),
  uuid: z.guid().nullable(),
  /** Its QEMU process. */
  pid: z.int().positive(),
  vcpus: z
    .array(
      z.strictObject({
        vcpu: z.int().min(0),
        thread: z.int().positive(),
        cpus: cpuListSchema,
        scheduling: schedulingSchema,
      }),
    )
    .max(4096),
  /** Where the emulator's own threads may run. */
  emulatorCpus: cpuListSchema,
  /** Threads of the emulator that somebody gave CPUs of their own: they are not moved with it. */
  ownCpus: z.array(z.int().positive()).max(1 << 16),
  /** To which its cpuset lets QEMU's threads be pinned; null where none bounds them. */
  cpuset: cpuListSchema.nullable(),
  /** PCI functions passed through. */
  hostdevs: z.array(pciAddressSchema).max(256),
  /** PCI functions of which it cannot be seen whether they are. */
  doubtful: z.array(pciAddressSchema).max(256),
  /** UUIDs of mediated devices: no function is theirs alone. */
  mediated: z.array(z.string().max(256)).max(256),
});
export type TunedDomainFacts = z.infer<typeof tunedDomainFactsSchema>;

/**
 * One domain: its facts now, and the three settings that tuning changes. With libvirt these are
 * virDomainPinVcpuFlags, virDomainPinEmulator and the vCPU's thread (libvirt applies `<vcpusched>` only at
 * start: docs/formatdomain.rst, "CPU Tuning"); `QemuProcess` does without libvirt.
 */
export interface TunedDomain {
  facts(): Promise<TunedDomainFacts>;
  pinVcpu(vcpu: number, cpus: string): Promise<void>;
  /** All of its threads but vCPUs, I/O threads and those of `spared`. */
  pinEmulator(cpus: string, spared: readonly number[]): Promise<void>;
  setVcpuScheduling(vcpu: number, scheduling: Scheduling): Promise<void>;
}

export interface DomainSource {
  /**
   * By name, id or UUID, and where none is called so, by process; null where none such runs. Throws `DOMAIN_AMBIGUOUS`
   * where the word means several.
   */
  find(domain: string): Promise<TunedDomain | null>;
  /** By name alone. Throws `DOMAIN_AMBIGUOUS`. */
  named(name: string): Promise<TunedDomain | null>;
}
