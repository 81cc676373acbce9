// SPDX-License-Identifier: Apache-2.0
import { z } from 'zod';
import { desiredPathSchema, domainSchema, pathSchema } from '../protocol/fields.js';
import { limits } from '../protocol/limits.js';
import { healthSchema, reportSchema } from '../protocol/messages.js';
import { steps } from './steps.js';

/** Where the host agent listens for the command line, for root alone. */
export const defaultSocket = '/run/vmcall/host-agent.sock';

/** Beside a control socket: the one for a group that may ask, and change nothing. */
export const readOnlySocket = (socket: string) => socket.replace(/(?:\.sock)?$/, '-ro.sock');

/** Bounds of the control socket. */
export const controlLimits = {
  /** Of a request that names domains: 4096 of them by their UUIDs. */
  requestBytes: 256 * 1024,
  headerBytes: 4096,
  connections: 32,
  /** Time for a request to come in whole, ms. */
  requestMs: 5_000,
  /** Time for the agent's answer, ms: above libvirt's own 30 s of patience with a libvirtd that hangs. */
  answerMs: 40_000,
  domains: 4096,
  answerBytes: 16 << 20,
  /** Of a measurement's reports that wait to be read, bytes; then the measurement ends. */
  streamBytes: 16 << 20,
  measureSeconds: 86_400,
  /** Of one event: a report, and what is around it. */
  lineCharacters: limits.frameBytes + 4096,
} as const;

const reasonSchema = z.strictObject({ code: z.string().max(64), message: z.string().max(2000) });

/** What the host agent keeps of a domain's tuning. */
export const tuningStatusSchema = z.strictObject({
  kept_since: z.iso.datetime(),
  /** Settings reapplied since this agent began, as a guest, its DPDK program or the host had restarted. */
  set_again: z.int().min(0),
  last_set: z.iso.datetime().nullable(),
  /** Why it is not kept now; null where it is. */
  problem: reasonSchema.nullable(),
});
export type TuningStatus = z.infer<typeof tuningStatusSchema>;

export const domainStatusSchema = z.strictObject({
  name: z.string().max(4096),
  uuid: domainSchema,
  id: z.int().min(0).nullable(),
  domain: z.enum(['running', 'paused', 'off']),
  desired: desiredPathSchema,
  /** Where it comes from; `invalid`: the metadata has something that cannot be used (`problem` says what). */
  desired_from: z.enum(['metadata', 'default', 'invalid']),
  problem: z.string().max(2000).nullable(),
  actual: z.enum([...desiredPathSchema.options, 'unknown', 'off']),
  phase: z.enum(['reached', 'moving', 'blocked']),
  /** Why actual is not desired; null when it is. */
  reason: reasonSchema.nullable(),
  kvm: z.strictObject({
    support: z.enum(['present', 'unsupported', 'absent']),
    vcpu_yield: z.boolean().nullable(),
    irqfd_hardirq: z.boolean().nullable(),
    /** VM calls that KVM counted since the VM began. */
    yields: z.int().min(0).nullable(),
    /** Doorbells rung since then. */
    rings: z.int().min(0).nullable(),
  }),
  /** What its guest agent says; null without a session. */
  guest: z.strictObject({ agent: z.string().max(500), health: healthSchema.nullable() }).nullable(),
  /** Absent where nothing of its tuning is kept. */
  tuning: tuningStatusSchema.optional(),
});
export type DomainStatus = z.infer<typeof domainStatusSchema>;

/** Answer to `GET /domains` and `GET /domains/UUID`, and what `vmcall status --json` prints. */
export const statusSchema = z.strictObject({
  format: z.literal('vmcall-status'),
  version: z.literal(1),
  libvirt: z.strictObject({ uri: z.string().max(1000), connected: z.boolean() }),
  /** Where it listens, or is to listen, for guests. */
  guests: z.strictObject({ address: z.string().max(100), port: z.int().min(0).max(65_535) }),
  /** Where the agent is to listen and cannot yet, and why. */
  unheard: z
    .array(z.strictObject({ what: z.enum(['guests', 'metrics', 'web']), problem: z.string().max(1000) }))
    .max(3),
  domains: z.array(domainStatusSchema).max(controlLimits.domains),
});
export type Status = z.infer<typeof statusSchema>;

/** A VmcallError: what one domain is refused with, and the body of each answer that is not 200. */
export const refusalSchema = z.strictObject({
  code: z.string().max(64),
  message: z.string().max(4000),
  cure: z.string().max(1000),
  exit_code: z.int().min(1).max(4),
});
export type Refusal = z.infer<typeof refusalSchema>;

/** Answer to `GET /domains/UUID/plan/PATH`: what would be done if that path were desired. */
export const plannedSchema = z.strictObject({
  format: z.literal('vmcall-plan'),
  version: z.literal(1),
  uuid: domainSchema,
  desired: z.strictObject({ before: desiredPathSchema, after: desiredPathSchema }),
  steps: z.array(z.enum(steps)).max(16),
  /** What stands in the way then; null: nothing. */
  obstacle: reasonSchema.nullable(),
});
export type Planned = z.infer<typeof plannedSchema>;

const domainsSchema = z.array(domainSchema).min(1).max(controlLimits.domains);

const leaseIdSchema = z.uuid();

/** Body of `POST /leases`: domains for oneself, for as long as the answer is open. */
export const leaseSchema = z.strictObject({
  domains: domainsSchema,
  /** For those who want them meanwhile. */
  holder: z.strictObject({ verb: z.string().regex(/^[a-z-]{1,40}$/), pid: z.int().min(1) }),
});
export type Lease = z.infer<typeof leaseSchema>;

/** Its answer, a line: they are. */
export const leasedSchema = z.strictObject({ type: z.literal('leased'), lease: leaseIdSchema });

/** Body of `PUT /released`: the domains go back to how they stood. */
export const releaseSchema = z.strictObject({ lease: leaseIdSchema });

/** Its answer, once they do or cannot. */
export const releasedSchema = z.strictObject({
  format: z.literal('vmcall-released'),
  version: z.literal(1),
  /** Those that could not be restored. */
  domains: z.array(z.strictObject({ uuid: domainSchema, refusal: refusalSchema })).max(controlLimits.domains),
});
export type Released = z.infer<typeof releasedSchema>;

/** Body of `PUT /desired`; without a path what was desired is forgotten. */
export const desireSchema = z.strictObject({
  domains: domainsSchema,
  path: desiredPathSchema.nullable(),
  lease: leaseIdSchema.optional(),
});
export type Desire = z.infer<typeof desireSchema>;

/** Its answer, once each domain's metadata has it or cannot have it. */
export const desiredSchema = z.strictObject({
  format: z.literal('vmcall-desired'),
  version: z.literal(2),
  path: desiredPathSchema.nullable(),
  domains: z
    .array(z.strictObject({ uuid: domainSchema, refusal: refusalSchema.nullable() }))
    .max(controlLimits.domains),
});
export type DesiredAnswer = z.infer<typeof desiredSchema>;

/** Body of `PUT /enrolled`: a new secret for a domain. */
export const enrolSchema = z.strictObject({
  domain: domainSchema,
  /** For so many seconds the previous one is valid, too. */
  overlap_s: z.int().min(0).max(31_536_000),
});
export type Enrol = z.infer<typeof enrolSchema>;

/** Its answer: all that a guest must know of this host. */
export const enrolledSchema = z.strictObject({
  format: z.literal('vmcall-enrolled'),
  version: z.literal(1),
  domain: domainSchema,
  secret: z.string().max(100),
  /** Of the certificate that guests are shown, SHA-256. */
  fingerprint: z.string().max(100),
});
export type Enrolled = z.infer<typeof enrolledSchema>;

/** Answer to `GET /enrolments`. */
export const enrolmentsSchema = z.strictObject({
  format: z.literal('vmcall-enrolments'),
  version: z.literal(1),
  domains: z
    .array(
      z.strictObject({
        uuid: domainSchema,
        /** Null: libvirt has no such domain, or cannot be asked. */
        name: z.string().max(4096).nullable(),
        issued: z.string().max(40),
        /** Until then the previous secret is valid, too; null: there is none. */
        previous_until: z.string().max(40).nullable(),
        /** There is a session with its guest. */
        session: z.boolean(),
      }),
    )
    .max(65_536),
});
export type Enrolments = z.infer<typeof enrolmentsSchema>;

/** Body of `PUT /revoked`: the domain's guest can no longer connect. */
export const revokeSchema = z.strictObject({ domain: domainSchema });

/** Its answer. */
export const revokedSchema = z.strictObject({
  format: z.literal('vmcall-revoked'),
  version: z.literal(1),
  /** False: it was not enrolled. */
  was: z.boolean(),
});

/** Body of `POST /measurements`. */
export const measureSchema = z.strictObject({
  domains: domainsSchema,
  /** Without one they are leased for the measurement. */
  lease: leaseIdSchema.optional(),
  seconds: z.number().positive().max(controlLimits.measureSeconds),
  interval_ms: z
    .int()
    .min(limits.reportIntervalMs.least)
    .max(limits.reportIntervalMs.most)
    .default(limits.reportIntervalMs.usual),
});
export type Measure = z.infer<typeof measureSchema>;

/** Its answer is a line of these for each thing that happens, until each domain has had its `ended` or `failed`. */
export const measureEventSchema = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('started'), uuid: domainSchema, path: pathSchema }),
  z.strictObject({ type: z.literal('report'), uuid: domainSchema, report: reportSchema }),
  /** Wakes are not timed, and why: the rest is as it should be. */
  z.strictObject({ type: z.literal('undated'), uuid: domainSchema, ...reasonSchema.shape }),
  /** `reports`: so many were sent. */
  z.strictObject({ type: z.literal('ended'), uuid: domainSchema, reports: z.int().min(0) }),
  z.strictObject({ type: z.literal('failed'), uuid: domainSchema, ...reasonSchema.shape }),
]);
export type MeasureEvent = z.infer<typeof measureEventSchema>;
