// SPDX-License-Identifier: Apache-2.0
import { z } from 'zod';
import { exitCodes, VmcallError } from '../../src/support/errors.js';
import type { Host } from '../host/host.js';
import { cpuDmaLatency } from './cpu-dma-latency.js';
import { hardwareStates, idleDriver, idleStates, resumeLatencyFile, resumeLatencyValue } from './cpuidle.js';
import type { Change, Journal } from './journal.js';
import type { HostSystem } from './knob.js';
import { resumeLatency } from './knobs/resume-latency.js';
import { restore } from './tune.js';

const ns = z.number().min(0);

export const cStateTableSchema = z.strictObject({
  format: z.literal('vmcall-cstates'),
  version: z.literal(1),
  cpu: z.int().min(0),
  /** Of the CPU, as /proc/cpuinfo has it. */
  model: z.string(),
  driver: z.string(),
  rows: z.array(
    z.strictObject({
      /** The deepest state allowed. */
      state: z.string(),
      exit_latency_us: z.number().min(0),
      latency_ns: z.strictObject({ min: ns, avg: ns, max: ns }),
      /** The deepest state that the CPU asked for while it was measured; null: it never went idle. */
      entered: z.string().nullable(),
    }),
  ),
});
export type CStateTable = z.infer<typeof cStateTableSchema>;
type Row = CStateTable['rows'][number];

export interface CStateRun {
  system: HostSystem;
  journal: Journal;
  cpu: number;
  /** Measures with the limit in force: packets to a program that waits on `cpu`. */
  measure(state: string): Promise<Row['latency_ns']>;
  sleep(milliseconds: number): Promise<void>;
}

/** A CPU's own limit counts from its next idle period on (linux: kernel/power/qos.c wakes CPUs for the global one only). */
const settle = 100;

/** The limits to try: C0, where it only polls, and each state; of those with one exit latency the deepest. */
function limits(host: Host, cpu: number): { state: string; limit: number }[] {
  const byLatency = new Map<number, string>([[0, 'C0']]);
  for (const { name, exitLatency, disabled } of hardwareStates(host, cpu))
    if (!disabled && exitLatency > 0) byLatency.set(exitLatency, name);
  return [...byLatency].map(([limit, state]) => ({ state, limit })).sort((a, b) => a.limit - b.limit);
}

/**
 * The deck's table: limits `cpu` to each C-state in turn through PM QoS, measures, restores the limit. Throws
 * `NO_C_STATES` (not supported here) on a host without any, `LATENCY_HELD` where a host-wide limit hides some.
 */
export async function measureCStates(run: CStateRun): Promise<CStateTable> {
  const { system, journal, cpu, measure, sleep } = run;
  const { host } = system;
  const file = resumeLatencyFile(cpu);
  const steps = limits(host, cpu);
  refuse(host, cpu, file, steps.at(-1)?.limit ?? 0);
  const changes: Change[] = [];
  const rows: Row[] = [];
  try {
    for (const { state, limit } of steps) {
      const value = resumeLatencyValue(limit);
      const before = host.read(file) ?? '';
      if (before !== value) {
        changes.unshift(journal.record({ knob: resumeLatency.name, place: file, before, after: value }));
        host.write(file, value);
      }
      await sleep(settle);
      const usage = idleStates(host, cpu);
      const latency_ns = await measure(state);
      const entered = idleStates(host, cpu).filter((now, at) => now.usage > (usage[at]?.usage ?? now.usage));
      rows.push({ state, exit_latency_us: limit, latency_ns, entered: entered.at(-1)?.name ?? null });
    }
  } finally {
    await restore(system, journal, false, changes);
  }
  return cStateTableSchema.parse({
    format: 'vmcall-cstates',
    version: 1,
    cpu,
    model: /^model name\s*:\s*(.*)$/m.exec(host.read('/proc/cpuinfo') ?? '')?.[1] ?? 'unknown',
    driver: idleDriver(host),
    rows,
  });
}

function refuse(host: Host, cpu: number, file: string, deepest: number): void {
  if (deepest === 0 || host.read(file) === null)
    throw new VmcallError(
      'NO_C_STATES',
      `CPU ${cpu} has no C-states to limit (cpuidle driver: ${idleDriver(host)})`,
      'Measure on a host whose cpuidle driver is intel_idle or acpi_idle; virtual machines and the lab have none.',
      exitCodes.unsupported,
    );
  const held = cpuDmaLatency(host);
  if (held !== null && held < deepest)
    throw new VmcallError(
      'LATENCY_HELD',
      `/dev/cpu_dma_latency is held at ${held} us: deeper states than that would not be entered`,
      'Stop who holds it (tuned with force_latency, the host agent) and measure again.',
    );
}
