// SPDX-License-Identifier: Apache-2.0
import { z } from 'zod';
import { countSchema, type Path } from '../../src/protocol/fields.js';
import { VmcallError } from '../../src/support/errors.js';
import type { Telemetry } from './telemetry.js';

/** Wait policies, as guest-agent/dataplane/README.md has them. */
const policySchema = z.enum(['poll', 'interrupt', 'pv-kick', 'vmcall']);
type Policy = z.infer<typeof policySchema>;

const policyOf: Readonly<Record<Path, Policy>> = {
  poll: 'poll',
  injected: 'interrupt',
  'pv-kick': 'pv-kick',
  vmcall: 'vmcall',
};
const pathOf: Readonly<Record<Policy, Path>> = {
  poll: 'poll',
  interrupt: 'injected',
  'pv-kick': 'pv-kick',
  vmcall: 'vmcall',
};

/** The policy's name for the program's command line. */
export function policyName(path: Path): string {
  return policyOf[path];
}

const outcome = { code: z.string(), error: z.string() };
const infoSchema = z.object({
  version: z.string(),
  policy: policySchema,
  idle_threshold_us: countSchema,
  doorbell_state: z.enum(['absent', 'installed', 'overwritten']),
  /** Of a program with the library: lcores that poll, and those of them that refused the policy wanted. */
  lcores: countSchema.optional(),
  lcores_refused: countSchema.optional(),
  ...outcome,
});
const policyReplySchema = z.object({ policy: policySchema, ...outcome });
const thresholdSchema = z.object({ idle_threshold_us: countSchema, ...outcome });
const resetSchema = z.object({ reset: z.int(), ...outcome });
const statsSchema = z.object({ policy: policySchema }).catchall(countSchema);
const histogramSchema = z.object({
  unit: z.literal('ns'),
  count: countSchema,
  min: countSchema,
  max: countSchema,
  sum: countSchema,
  encoding: z.literal('hdr-v2-compressed-base64'),
  data: z.array(z.string()),
  ...outcome,
});
const wakesSchema = z.object({
  tsc_khz: z.int().min(1),
  count: countSchema,
  missed: countSchema,
  data: z.array(z.string()).default([]),
  ...outcome,
});
const processSchema = z.object({ pid: z.int().min(1) });

export interface DataplaneInfo {
  version: string;
  path: Path;
  idleThresholdUs: number;
  doorbell: 'absent' | 'installed' | 'overwritten';
  /** Of a program with several lcores: those that poll, and those of them on another path than the one wanted. */
  lcores?: { polling: number; refused: number };
  /** Of the last time it could not switch to a path, or keep it. */
  fallback: { code: string; message: string } | undefined;
}

export interface WakeLatency {
  count: number;
  min: number;
  max: number;
  sum: number;
  /** HDR V2, compressed, base64; cumulative. */
  histogram: string;
}

/** Sleeps in interrupts, as PROTOCOL.md has them. */
export interface Wakes {
  tscKhz: number;
  /** Sleeps in `data`. */
  count: number;
  /** Sleeps that did not fit since they are kept. */
  missed: number;
  data: string;
}

/** The commands of a DPDK program that is ours or has our library, by its telemetry. */
export class Dataplane {
  constructor(private readonly telemetry: Telemetry) {}

  async info(): Promise<DataplaneInfo> {
    const info = await this.#ask('/vmcall/info', infoSchema);
    return {
      version: info.version,
      path: pathOf[info.policy],
      idleThresholdUs: info.idle_threshold_us,
      doorbell: info.doorbell_state,
      ...(info.lcores !== undefined && {
        lcores: { polling: info.lcores, refused: info.lcores_refused ?? 0 },
      }),
      fallback: info.code === '' ? undefined : { code: info.code, message: info.error },
    };
  }

  /** Switches; the path in force afterwards, and why it is another than asked for. */
  async setPath(path: Path): Promise<{ path: Path; refusal: { code: string; message: string } | undefined }> {
    const reply = await this.#ask(`/vmcall/policy,${policyOf[path]}`, policyReplySchema);
    const refusal = reply.code === '' ? undefined : { code: reply.code, message: reply.error };
    return { path: pathOf[reply.policy], refusal };
  }

  async setIdleThreshold(microseconds: number): Promise<number> {
    const reply = await this.#ask(`/vmcall/idle_threshold_us,${microseconds}`, thresholdSchema);
    orThrow('/vmcall/idle_threshold_us', reply);
    return reply.idle_threshold_us;
  }

  /** Sets counters and histogram to nothing. */
  async reset(): Promise<void> {
    orThrow('/vmcall/reset', await this.#ask('/vmcall/reset', resetSchema));
  }

  /** Its counters, and the path in force as they were read. */
  async counters(): Promise<{ path: Path; counters: Record<string, number> }> {
    const { policy, ...stats } = await this.#ask('/vmcall/stats', statsSchema);
    return { path: pathOf[policy], counters: stats };
  }

  async wakeLatency(): Promise<WakeLatency> {
    const reply = await this.#ask('/vmcall/histogram', histogramSchema);
    orThrow('/vmcall/histogram', reply);
    const { count, min, max, sum, data } = reply;
    return { count, min, max, sum, histogram: data.join('') };
  }

  /** Whether the times of sleeps in interrupts are kept from now on. */
  async keepWakes(isOn: boolean): Promise<void> {
    orThrow('/vmcall/wakes', await this.#ask(`/vmcall/wakes,${isOn ? 'start' : 'stop'}`, wakesSchema));
  }

  /** Takes the oldest ones out, as many as an answer holds. */
  async takeWakes(): Promise<Wakes> {
    const reply = await this.#ask('/vmcall/wakes', wakesSchema);
    orThrow('/vmcall/wakes', reply);
    return { tscKhz: reply.tsc_khz, count: reply.count, missed: reply.missed, data: reply.data.join('') };
  }

  /** The program's process, by DPDK's own command. */
  async pid(): Promise<number> {
    return (await this.#ask('/info', processSchema)).pid;
  }

  async #ask<T>(command: string, schema: z.ZodType<T>): Promise<T> {
    const parsed = schema.safeParse(await this.telemetry.ask(command));
    if (parsed.success) return parsed.data;
    const issue = parsed.error.issues[0];
    throw new VmcallError(
      'TELEMETRY_FAILED',
      `${command}: ${issue?.path.join('.')}: ${issue?.message}`,
      'Install dataplane and agent of the same version',
    );
  }
}

function orThrow(command: string, { code, error }: { code: string; error: string }): void {
  if (code !== '')
    throw new VmcallError('TELEMETRY_FAILED', `${command}: ${code}: ${error}`, "See the dataplane's README");
}
