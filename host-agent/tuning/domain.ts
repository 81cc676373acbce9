// SPDX-License-Identifier: Apache-2.0
import { z } from 'zod';
import { type Scheduling, schedulingSchema } from '../host/scheduling.js';

export const pciAddressSchema = z
  .string()
  .regex(/^[0-9a-f]{4}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]$/, 'a PCI address is written 0000:81:00.0');

const cpuListSchema = z.string().regex(/^\d+(-\d+)?(,\d+(-\d+)?)*$/, 'a CPU list is written 2,4-7');

/** What tuning needs to know of one running domain. */
export const domainFactsSchema = z.strictObject({
  name: z.string().min(1).max(256),
  uuid: z.uuid().nullable(),
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
  /** PCI functions passed through. */
  hostdevs: z.array(pciAddressSchema).max(256),
});
export type DomainFacts = z.infer<typeof domainFactsSchema>;

/**
 * One domain: its facts now, and the three settings that tuning changes. With libvirt these are
 * virDomainPinVcpuFlags, virDomainPinEmulator and the vCPU's thread (libvirt applies `<vcpusched>` only at
 * start: docs/formatdomain.rst, "CPU Tuning"); `QemuProcess` does without libvirt.
 */
export interface Domain {
  facts(): Promise<DomainFacts>;
  pinVcpu(vcpu: number, cpus: string): Promise<void>;
  pinEmulator(cpus: string): Promise<void>;
  setVcpuScheduling(vcpu: number, scheduling: Scheduling): Promise<void>;
}

export interface DomainSource {
  /** By name, id or UUID; null where none such runs. */
  find(domain: string): Promise<Domain | null>;
}
