// SPDX-License-Identifier: Apache-2.0
import { z } from 'zod';
import {
  countersSchema,
  countSchema,
  domainSchema,
  errorCodeSchema,
  histogramTextSchema,
  idleThresholdSchema,
  measurementEndCodeSchema,
  measurementIdSchema,
  pathSchema,
  textSchema,
  wakeTimesTextSchema,
  wordSchema,
} from './fields.js';
import { limits } from './limits.js';

const versionSchema = z.int().min(1).max(1000);
const capabilitiesSchema = z.array(z.string().regex(/^[a-z0-9-]{1,40}$/)).max(32);
const idSchema = z.int().min(1);

export const helloSchema = z.strictObject({
  type: z.literal('hello'),
  versions: z.array(versionSchema).min(1).max(16),
  capabilities: capabilitiesSchema,
  domain: domainSchema,
  /** The agent's own version, for people. */
  agent: textSchema,
});

export const ackSchema = z.strictObject({
  type: z.literal('ack'),
  version: versionSchema,
  capabilities: capabilitiesSchema,
  agent: textSchema,
});

export const healthSchema = z.strictObject({
  /** `waiting`: it ended, and is restarted after the back-off. */
  dataplane: z.enum(['starting', 'running', 'waiting', 'stopped']),
  /** What the agent is to keep up: the host's last word, or its configuration's. */
  wanted: pathSchema,
  /** What is in force; null while the dataplane does not run. */
  path: pathSchema.nullable(),
  /** The wanted path is in force and works. */
  upheld: z.boolean(),
  /** Why it is not: the dataplane's code and words. */
  reason: z.strictObject({ code: wordSchema, message: textSchema }).nullable(),
  idle_threshold_us: idleThresholdSchema.nullable(),
  /** Times the dataplane was started again since the agent began. */
  restarts: countSchema,
  version: textSchema.nullable(),
});
export type Health = z.infer<typeof healthSchema>;

const setPathParams = z.strictObject({
  path: pathSchema,
  /** Left as it is if absent. */
  idle_threshold_us: idleThresholdSchema.optional(),
});
const setPathResult = z.strictObject({
  path: pathSchema,
  idle_threshold_us: idleThresholdSchema,
  /** False if that path was in force before. */
  switched: z.boolean(),
});
const startParams = z.strictObject({
  measurement: measurementIdSchema,
  interval_ms: z.int().min(limits.reportIntervalMs.least).max(limits.reportIntervalMs.most),
  /** Capability `wake-times`: when it slept is reported, too. */
  wake_times: z.literal(true).optional(),
});
const startResult = z.strictObject({ path: pathSchema });
const stopParams = z.strictObject({ measurement: measurementIdSchema });
const stopResult = z.strictObject({ reports: countSchema });

/** What a host may ask of a guest. */
export const methods = {
  'set-path': { capability: 'path', params: setPathParams, result: setPathResult },
  'start-measurement': { capability: 'measurement', params: startParams, result: startResult },
  'stop-measurement': { capability: 'measurement', params: stopParams, result: stopResult },
  'get-health': { capability: 'health', params: z.strictObject({}), result: healthSchema },
} as const;
export type Method = keyof typeof methods;
export type Params<M extends Method> = z.infer<(typeof methods)[M]['params']>;
export type MethodResult<M extends Method> = z.infer<(typeof methods)[M]['result']>;

function request<M extends Method>(method: M) {
  return z.strictObject({
    type: z.literal('request'),
    id: idSchema,
    deadline_ms: z.int().min(limits.deadlineMs.least).max(limits.deadlineMs.most),
    method: z.literal(method),
    params: methods[method].params as (typeof methods)[M]['params'],
  });
}

function result<M extends Method>(method: M) {
  return z.strictObject({
    type: z.literal('result'),
    id: idSchema,
    method: z.literal(method),
    result: methods[method].result as (typeof methods)[M]['result'],
  });
}

export const requestSchema = z.discriminatedUnion('method', [
  request('set-path'),
  request('start-measurement'),
  request('stop-measurement'),
  request('get-health'),
]);
export type Request = z.infer<typeof requestSchema>;

export const methodResultSchema = z.discriminatedUnion('method', [
  result('set-path'),
  result('start-measurement'),
  result('stop-measurement'),
  result('get-health'),
]);

export const errorSchema = z.strictObject({
  type: z.literal('error'),
  id: idSchema,
  code: errorCodeSchema,
  message: textSchema,
  /** Of PATH_REFUSED: the dataplane's own code, and what is in force now. */
  reason: wordSchema.optional(),
  path: pathSchema.optional(),
});
export type ErrorMessage = z.infer<typeof errorSchema>;

export const healthMessageSchema = z.strictObject({ type: z.literal('health'), health: healthSchema });

const wakeTimesSchema = z.strictObject({
  tsc_khz: z.int().min(1).max(100_000_000),
  /** Sleeps that did not fit since the measurement began. */
  missed: countSchema,
  data: z.array(wakeTimesTextSchema).max(limits.wakeTimesParts),
});
export type WakeTimes = z.infer<typeof wakeTimesSchema>;

export const reportSchema = z.strictObject({
  type: z.literal('report'),
  measurement: measurementIdSchema,
  /** 1, 2, 3...: a gap is a lost report. */
  sequence: countSchema.min(1),
  /** The guest's monotonic clock since the measurement began, us. */
  elapsed_us: countSchema,
  path: pathSchema,
  wake_latency: z.strictObject({
    unit: z.literal('ns'),
    /** What was counted since the report before. */
    delta: z.strictObject({ count: countSchema, histogram: histogramTextSchema }),
    /** Exact, since the measurement began; min is null while the count is 0. */
    total: z.strictObject({
      count: countSchema,
      min: countSchema.nullable(),
      max: countSchema,
      sum: countSchema,
    }),
  }),
  /** The dataplane's counters since the measurement began. */
  counters: countersSchema,
  /** Of the injected path, if they were asked for. */
  wake_times: wakeTimesSchema.optional(),
});
export type Report = z.infer<typeof reportSchema>;

export const measurementEndedSchema = z.strictObject({
  type: z.literal('measurement-ended'),
  measurement: measurementIdSchema,
  code: measurementEndCodeSchema,
  message: textSchema,
});
export type MeasurementEnded = z.infer<typeof measurementEndedSchema>;

/** All that a guest may say: its own identity, answers, and what it sees itself. It can ask for nothing. */
export const guestMessageSchema = z.discriminatedUnion('type', [
  helloSchema,
  methodResultSchema,
  errorSchema,
  healthMessageSchema,
  reportSchema,
  measurementEndedSchema,
]);
export type GuestMessage = z.infer<typeof guestMessageSchema>;

/** All that a host may say. */
export const hostMessageSchema = z.discriminatedUnion('type', [ackSchema, requestSchema]);
export type HostMessage = z.infer<typeof hostMessageSchema>;
