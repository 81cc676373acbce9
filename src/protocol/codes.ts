// SPDX-License-Identifier: Apache-2.0

/** WebSocket close codes of `vmcall.v1` (4400 to 4499 are private to an application, RFC 6455 section 7.4.2). */
export const closeCodes = {
  /** A message that is no JSON, fits no schema, or comes where it may not. */
  badMessage: 4400,
  /** The guest's secret was replaced or revoked while the session lived. */
  revoked: 4401,
  /** The hello names another domain than the secret is for. */
  wrongIdentity: 4403,
  /** No version in common. */
  noCommonVersion: 4406,
  /** No hello, or no ack, in time. */
  helloTimeout: 4408,
  /** A newer session of the same guest took this one's place. */
  replaced: 4409,
  /** libvirt says that the guest's domain runs no more. */
  domainEnded: 4410,
  /** More frames than the limit allows. */
  tooManyFrames: 4429,
  /** The other side does not read what is sent to it. */
  slowReader: 4430,
  /** Nothing heard, pongs neither, for too long. */
  silent: 4431,
} as const;

/** Close codes of RFC 6455 (section 7.4.1) that either side may see beside ours. */
export const standardCloseCodes = {
  normal: 1000,
  goingAway: 1001,
  protocolError: 1002,
  invalidText: 1007,
  policyViolation: 1008,
  tooLarge: 1009,
} as const;

/** Codes of an error that answers a request, and what each means. */
export const errorCodes = {
  DEADLINE: 'not done within the deadline; the outcome is unknown, the next health message says it',
  BUSY: 'too many requests are under way, or another measurement is',
  UNSUPPORTED: 'the other side did not announce this capability',
  NOT_READY: 'the dataplane does not run',
  PATH_REFUSED: 'the dataplane could not switch to the path; reason and path say why and what is in force',
  NO_MEASUREMENT: 'no measurement of this id is on',
  DATAPLANE_FAILED: 'the dataplane gave no answer, or one that cannot be used',
  SESSION_LOST: 'the session ended before the answer came',
  SHUTTING_DOWN: 'the agent is stopping',
  INTERNAL: 'a defect of the agent; its log has more',
} as const;
export type ErrorCode = keyof typeof errorCodes;

/** Why a measurement ended before it was stopped. */
export const measurementEndCodes = {
  DATAPLANE_RESTARTED: 'the dataplane ended and its counts with it',
  DATAPLANE_RESET: 'somebody else reset the counters',
  DATAPLANE_FAILED: 'the dataplane gave no answer, or one that cannot be used',
  SHUTTING_DOWN: 'the agent is stopping',
} as const;
export type MeasurementEndCode = keyof typeof measurementEndCodes;
