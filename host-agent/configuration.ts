// SPDX-License-Identifier: Apache-2.0
import { z } from 'zod';
import { defaultSocket } from '../src/control/schema.js';
import { defaultPort } from '../src/protocol/version.js';
import { readToml } from '../src/support/toml.js';
import { hostStateFolder } from './enrolment/store.js';

/** Where the configuration is by default. */
export const hostConfigurationFile = '/etc/vmcall/host-agent.toml';

const defaultWebPort = 8646;
export const defaultMetricsPort = 8647;

const fileName = (most: number) =>
  z.string().regex(new RegExp(`^/[^\\0]{1,${most}}$`), 'wanted an absolute path');

const reconcilerSchema = z
  .strictObject({
    /** Every domain is checked this often, whatever events say. */
    interval_s: z.number().min(0.1).max(3600).default(10),
    /** A guest on vmcall of whom KVM counts no VM call for this long is shown as unproven. */
    yields_within_s: z.number().min(0.2).max(86_400).default(30),
    /** A step that failed is retried after this, doubling up to the other. */
    retry_least_s: z.number().min(0.1).max(3600).default(1),
    retry_most_s: z.number().min(0.1).max(3600).default(60),
  })
  .refine(({ interval_s: interval, yields_within_s: within }) => within >= 2 * interval, {
    path: ['yields_within_s'],
    message: 'wanted at least twice interval_s: the counter is read that often',
  });

/** A link-local one with its interface: fe80::1%br0. */
const addressSchema = z.union(
  [z.ipv4(), z.ipv6(), z.string().regex(/^fe80:[0-9a-f:]{1,40}%[\w.-]{1,15}$/i)],
  'wanted an IP address of this host (a link-local one as fe80::1%INTERFACE), or 0.0.0.0 for all',
);

const listenerSchema = (port: number) =>
  z.strictObject({
    address: addressSchema,
    port: z.int().min(0).max(65_535).default(port),
  });

export const hostConfigurationSchema = z.strictObject({
  guests: z.strictObject({
    /** Where guests connect to. */
    address: addressSchema,
    port: z.int().min(0).max(65_535).default(defaultPort),
  }),
  libvirt: z.strictObject({ uri: z.string().min(1).max(1000).default('qemu:///system') }).prefault({}),
  /** A Unix socket's path has 107 bytes (unix(7)); that for readers is three longer. */
  control: z
    .strictObject({
      socket: fileName(103).default(defaultSocket),
      /** The group that may ask, on a socket of its own, and change nothing. */
      readers: z.string().min(1).max(32).optional(),
    })
    .prefault({}),
  state: z.strictObject({ folder: fileName(1000).default(hostStateFolder) }).prefault({}),
  reconciler: reconcilerSchema.prefault({}),
  /** What `vmcall tune apply` did is reapplied after restarts. */
  tuning: z
    .strictObject({
      /** `--state` of `vmcall tune`. */
      state: fileName(1000).default('/var/lib/vmcall'),
      /** How often interrupts are checked. */
      interval_s: z.number().min(0.1).max(3600).default(1),
    })
    .prefault({}),
  /** Guests measure all the time, once a second, for those who watch; or for a run alone. */
  live: z.strictObject({ measure: z.boolean().default(true) }).prefault({}),
  /** Prometheus' /metrics; off without it. */
  metrics: listenerSchema(defaultMetricsPort).optional(),
  /** The page for browsers; off without it. TLS unless the address is loopback's. */
  web: listenerSchema(defaultWebPort).optional(),
});
export type HostConfiguration = z.infer<typeof hostConfigurationSchema>;

/** The configuration in force, which a reload replaces part by part. */
export interface Settings {
  current: HostConfiguration;
}

/** @throws VmcallError CONFIG_*: file, key and value of each thing wrong */
export function readHostConfiguration(file: string): Promise<HostConfiguration> {
  return readToml(file, hostConfigurationSchema);
}
