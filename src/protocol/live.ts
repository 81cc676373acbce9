// SPDX-License-Identifier: Apache-2.0
// What an observer and a host agent say to each other: PROTOCOL.md, "Observers".
import { z } from 'zod';
import { countSchema, desiredPathSchema, domainSchema, pathSchema, textSchema } from './fields.js';

/** The resource that an observer asks for in its upgrade. */
export const observerResource = '/observer';

/** What a browser, which can set no other header of an upgrade, puts before the token among the subprotocols. */
export const tokenPrefix = 'vmcall.token.';

/** Bounds of the observers' side. */
export const liveLimits = {
  /** At once, over all listeners. */
  observers: 16,
  /** A picture is sent this often, ms. */
  intervalMs: 1_000,
  /** Bytes of the domains in one `live` message, and in all the messages of one picture. */
  partBytes: 56 * 1024,
  pictureBytes: 192 * 1024,
  nameCharacters: 255,
  reasonCharacters: 300,
} as const;

const versionSchema = z.int().min(1).max(1000);
const capabilitiesSchema = z.array(z.string().regex(/^[a-z0-9-]{1,40}$/)).max(32);

export const observerHelloSchema = z.strictObject({
  type: z.literal('hello'),
  versions: z.array(versionSchema).min(1).max(16),
  capabilities: capabilitiesSchema,
  /** The observer's own version, for people. */
  agent: textSchema,
});

export const observerAckSchema = z.strictObject({
  type: z.literal('ack'),
  version: versionSchema,
  capabilities: capabilitiesSchema,
  agent: textSchema,
});

/** Why a wait of the dataplane ended (guest-agent/library/wait/wait.h). */
export const wakeReasons = [
  'packet',
  'timeout',
  'interrupt',
  'kick',
  'control',
  'spurious',
  'off',
  'error',
] as const;
export type WakeReason = (typeof wakeReasons)[number];

/** Paths that figures are kept for; `switching`: the path changed within the interval. */
export const livePathSchema = z.enum([...pathSchema.options, 'switching']);
export type LivePath = z.infer<typeof livePathSchema>;

const liveIntervalSchema = z.strictObject({
  path: livePathSchema,
  /** Since its end, on the host's clock, ms. */
  age_ms: countSchema,
  /** Its length on the guest's clock, us. */
  elapsed_us: countSchema.min(1),
  rx: countSchema,
  tx: countSchema,
  wakes: z.strictObject(
    Object.fromEntries(wakeReasons.map((reason) => [reason, countSchema])) as Record<
      WakeReason,
      typeof countSchema
    >,
  ),
  /** Time asleep, us. */
  waited_us: countSchema,
  /** Null if no wake was timed. Of the histogram, so to three digits. */
  wake_latency: z
    .strictObject({
      unit: z.literal('ns'),
      count: countSchema,
      p50: countSchema,
      p99: countSchema,
      max: countSchema,
    })
    .nullable(),
});
export type LiveInterval = z.infer<typeof liveIntervalSchema>;

export const liveDomainSchema = z.strictObject({
  uuid: domainSchema,
  name: z.string().max(liveLimits.nameCharacters),
  state: z.enum(['running', 'paused', 'off']),
  desired: desiredPathSchema,
  actual: z.enum([...desiredPathSchema.options, 'unknown', 'off']),
  phase: z.enum(['reached', 'moving', 'blocked']),
  /** Why actual is not desired; null when it is. */
  reason: z
    .strictObject({ code: z.string().max(64), message: z.string().max(liveLimits.reasonCharacters) })
    .nullable(),
  /** There is a session with its guest agent. */
  session: z.boolean(),
  /** What the guest measured last; null before the first report. */
  interval: liveIntervalSchema.nullable(),
});
export type LiveDomain = z.infer<typeof liveDomainSchema>;

export const liveSchema = z.strictObject({
  type: z.literal('live'),
  /** 1, 2, 3...: of the picture; all its parts have the same. */
  sequence: countSchema.min(1),
  part: countSchema.min(1),
  parts: countSchema.min(1),
  libvirt: z.boolean(),
  /** Domains that the picture has no room for. */
  left_out: countSchema,
  domains: z.array(liveDomainSchema),
});
export type LiveMessage = z.infer<typeof liveSchema>;

/** All that an observer may say. */
export const observerMessageSchema = observerHelloSchema;
export type ObserverMessage = z.infer<typeof observerMessageSchema>;

/** All that a host agent says to an observer. */
export const observedMessageSchema = z.discriminatedUnion('type', [observerAckSchema, liveSchema]);
export type ObservedMessage = z.infer<typeof observedMessageSchema>;
