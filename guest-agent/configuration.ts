// SPDX-License-Identifier: Apache-2.0
import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { domainSchema, idleThresholdSchema, pathSchema } from '../src/protocol/fields.js';
import { exitCodes, VmcallError } from '../src/support/errors.js';
import { readToml } from '../src/support/toml.js';
import type { HostAddress } from './session/host-session.js';

/** Where the configuration is by default. */
export const guestConfigurationFile = '/etc/vmcall/guest-agent.toml';

const fileName = z.string().regex(/^\/[^\0]{1,1000}$/, 'wanted an absolute path');
const seconds = z.number().min(0.1).max(86_400);

const pinSchema = z
  .string()
  .regex(/^([0-9A-F]{2}:){31}[0-9A-F]{2}$/, 'wanted 32 bytes as AB:CD:..., as vmcall enroll printed them');

const hostSchema = z
  .strictObject({
    /** With a link-local address `wss://[fe80::1%INTERFACE]:PORT/guest`. */
    url: z.string().refine(isHostUrl, 'wanted wss://ADDRESS:PORT/guest'),
    domain: domainSchema,
    secret: z.string().regex(/^[A-Za-z0-9_-]{43}$/, 'wanted the 43 characters that vmcall enroll printed'),
    /** Of the host's certificate; two while the host changes it. */
    certificate_sha256: z.union([pinSchema, z.array(pinSchema).min(1).max(2)]).optional(),
    ca_file: fileName.optional(),
    /** Without a session for this long, a path that is not upheld is given up for interrupts. */
    lost_after_s: seconds.default(30),
  })
  .refine((host) => (host.certificate_sha256 === undefined) !== (host.ca_file === undefined), {
    message: 'wanted exactly one of certificate_sha256 and ca_file',
  });

/** EAL options that the agent gives itself, or that would take the control socket away. */
const ownEalOption = /^(--file-prefix|--no-telemetry|--proc-type)(=|$)/;

const telemetryClientSchema = fileName.default('/usr/bin/vmcall-telemetry');
const filePrefixSchema = z.string().regex(/^[A-Za-z0-9_-]{1,40}$/, 'wanted 1 to 40 letters, digits, - or _');

const dataplaneSchema = z.strictObject({
  program: fileName.default('/usr/sbin/vmcall-dataplane'),
  telemetry_client: telemetryClientSchema,
  eal_arguments: z
    .array(z.string().max(500))
    .max(100)
    .refine(
      (words) => !words.some((word) => word === '--' || ownEalOption.test(word)),
      'must not hold --, --file-prefix, --proc-type or --no-telemetry: the agent sets them',
    ),
  arguments: z
    .array(z.string().max(500))
    .max(100)
    .refine(
      (words) => !words.some((word) => /^--(policy|idle-threshold-us)(=|$)/.test(word)),
      'must not hold --policy or --idle-threshold-us: see path and idle_threshold_us',
    )
    .default([]),
  file_prefix: filePrefixSchema.default('vmcall'),
  /** Until the host says otherwise. */
  path: pathSchema.default('injected'),
  idle_threshold_us: idleThresholdSchema.default(300),
  start_timeout_s: seconds.default(60),
});

/** A program that others start, with our library or plugin in it. */
const applicationSchema = z.strictObject({
  telemetry_client: telemetryClientSchema,
  file_prefix: filePrefixSchema.default('rte'),
  /** Left as the program has it if absent. */
  idle_threshold_us: idleThresholdSchema.optional(),
});

export const guestConfigurationSchema = z
  .strictObject({
    host: hostSchema,
    dataplane: dataplaneSchema.optional(),
    application: applicationSchema.optional(),
  })
  .refine(({ dataplane, application }) => (dataplane === undefined) !== (application === undefined), {
    message: 'wanted exactly one of [dataplane] (a program to start) and [application] (one that runs)',
  });
export type GuestConfiguration = z.infer<typeof guestConfigurationSchema>;
export type DataplaneConfiguration = z.infer<typeof dataplaneSchema>;
export type ApplicationConfiguration = z.infer<typeof applicationSchema>;

/** A URL has no place for a link-local address's zone (url.spec.whatwg.org): it is kept beside it. */
function withoutZone(text: string): { url: string; zone?: string } {
  const [, head = '', zone, tail = ''] =
    /^(wss:\/\/\[fe80:[0-9a-f:]*)%([\w.-]{1,15})(\].*)$/i.exec(text) ?? [];
  return zone === undefined ? { url: text } : { url: head + tail, zone };
}

function isHostUrl(text: string): boolean {
  const { url } = withoutZone(text);
  if (!URL.canParse(url)) return false;
  const { protocol, hostname, port, username, password, search, hash } = new URL(url);
  return (
    protocol === 'wss:' && hostname !== '' && port !== '0' && `${username}${password}${search}${hash}` === ''
  );
}

/** @throws VmcallError CONFIG_*: file, key and value of each thing wrong */
export function readGuestConfiguration(file: string): Promise<GuestConfiguration> {
  return readToml(file, guestConfigurationSchema, ['host.secret']);
}

/** @throws VmcallError CONFIG_UNREADABLE of the CA file */
export async function hostAddress({ host }: GuestConfiguration): Promise<HostAddress> {
  const { domain, secret, certificate_sha256: fingerprint, ca_file: caFile } = host;
  const { url, zone } = withoutZone(host.url);
  const identity = { url: new URL(url), ...(zone !== undefined && { zone }), domain, secret };
  if (fingerprint !== undefined) return { ...identity, trust: { fingerprint } };
  try {
    return { ...identity, trust: { ca: await readFile(caFile ?? '', 'utf8') } };
  } catch (error) {
    throw new VmcallError(
      'CONFIG_UNREADABLE',
      `host.ca_file: ${(error as Error).message}`,
      "Put the certificate authority's certificate there, in PEM form",
      exitCodes.configuration,
      { cause: error },
    );
  }
}
