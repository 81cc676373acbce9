// SPDX-License-Identifier: Apache-2.0
import { z } from 'zod';
import { errorCodes, measurementEndCodes } from './codes.js';
import { limits } from './limits.js';

/** A domain's UUID as libvirt prints it. */
export const domainSchema = z
  .string()
  .regex(
    /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/,
    'wanted a UUID in lower case, as `virsh domuuid` prints it',
  );

/** How the dataplane waits for packets, and so the path a packet's notification takes. */
export const pathSchema = z.enum(['poll', 'injected', 'pv-kick', 'vmcall']);
export type Path = z.infer<typeof pathSchema>;

/** Paths whose wakes carry no time stamp of the host, so that it dates the interrupts itself. */
export const isDatedByHost = (path: Path | null) => path === 'injected' || path === 'pv-kick';

/**
 * What an administrator may want of a domain. `injected-hard-isr`: injected interrupts, with the host's handler in hard
 * interrupt context (the non-threaded handler of the kernel series). `pv-kick`: the guest's vCPU halts, and the NIC's
 * interrupt is KVM's own PV kick; it needs nothing of the host.
 */
export const desiredPathSchema = z.enum(['injected', 'injected-hard-isr', 'poll', 'pv-kick', 'vmcall']);
export type DesiredPath = z.infer<typeof desiredPathSchema>;

/** The dataplane's idle threshold, us. */
export const idleThresholdSchema = z.int().min(0).max(1_000_000_000);

/** Text for people: no control characters, so that it can be logged as it is. */
export const textSchema = z
  .string()
  .max(limits.textCharacters)
  .regex(/^\P{Cc}*$/u, 'wanted text without control characters');

/** A word of a program's vocabulary, such as an errno's name. */
export const wordSchema = z.string().regex(/^[A-Za-z0-9_.-]{0,64}$/, 'wanted a word');

/**
 * A counter or a time. A JSON number, for the largest safe integer is out of reach: polls at 10 MHz take 28 years to
 * it, a sum of wake latencies 104 days of waiting for wakes.
 */
export const countSchema = z.int().min(0);

export const measurementIdSchema = z
  .string()
  .regex(/^[0-9a-f-]{36}$/, 'wanted a UUID that the host chose for this measurement');

export const errorCodeSchema = z.enum(Object.keys(errorCodes) as [keyof typeof errorCodes]);
export const measurementEndCodeSchema = z.enum(
  Object.keys(measurementEndCodes) as [keyof typeof measurementEndCodes],
);

const counterName = /^[a-z][a-z0-9_]{0,39}$/;

/** Counters by name. Looked through at once: zod's own record takes ten times as long, in each guest's each report. */
export const countersSchema = z.custom<Record<string, number>>(
  areCounters,
  `wanted at most ${limits.counters} counters by name`,
);

function areCounters(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const counters = Object.entries(value);
  return (
    counters.length <= limits.counters &&
    counters.every(([name, count]) => counterName.test(name) && Number.isSafeInteger(count) && count >= 0)
  );
}

/** Base64 of a compressed HDR histogram, V2. Whether it is one is for `decodeWakes` to say. */
export const histogramTextSchema = z
  .string()
  .min(8)
  .max(limits.histogramCharacters)
  .regex(/^[A-Za-z0-9+/]+={0,2}$/, 'wanted base64');

/** Base64 of the times of some wakes; empty if there were none. Whether they are such is for `readWakeTimes` to say. */
export const wakeTimesTextSchema = z
  .string()
  .max(limits.wakeTimesCharacters)
  .regex(/^[A-Za-z0-9+/]*={0,2}$/, 'wanted base64');
