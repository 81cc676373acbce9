// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs';
import { readText, writeText } from './commands.js';

/** The kernel's tracepoints that a packet passes on its way, seen in the order of time over all CPUs. */
const events = [
  'irq/irq_handler_entry',
  'kvm/kvm_doorbell',
  'kvm/kvm_msi_set_irq',
  'sched/sched_switch',
  'kvm/kvm_entry',
];
const tracing = '/sys/kernel/tracing';
const bufferKiB = 8192;

/** Who is who in the trace. */
export interface Stations {
  /** The passed-through NIC's PCI address, the vCPU and its thread, the sender's interface. */
  nic: string;
  vcpu: number;
  thread: number;
  sender: string;
}

/** The way in parts; each begins where the one before ends. */
export const stageNames = [
  'device interrupt to KVM',
  'KVM to the vCPU thread on its CPU',
  'vCPU thread to the guest',
  "guest to the sender's reception",
] as const;

/** ns of each stage, packet by packet; a packet that missed a station (it met the program awake) is not in it. */
export type StageTimes = Record<(typeof stageNames)[number], number[]>;

/** The trace of `work` with some of the kernel's tracepoints on; its clock is the TSC. */
export async function traceOf(names: readonly string[], work: () => Promise<unknown>): Promise<string> {
  writeText(`${tracing}/trace_clock`, 'x86-tsc');
  writeText(`${tracing}/buffer_size_kb`, String(bufferKiB));
  // Who ran is known; to keep their names costs each switch.
  writeText(`${tracing}/options/record-cmd`, '0');
  // A KVM without the series has no doorbell to tell of.
  const there = names.filter((event) => existsSync(`${tracing}/events/${event}`));
  for (const event of there) writeText(`${tracing}/events/${event}/enable`, '1');
  try {
    await work();
  } finally {
    for (const event of there) writeText(`${tracing}/events/${event}/enable`, '0');
  }
  const trace = readText(`${tracing}/trace`);
  writeText(`${tracing}/trace`, '');
  return trace;
}

/** Traces `work`; `tscKhz` turns the trace's own clock into ns. */
export async function traced(
  work: () => Promise<unknown>,
  stations: Stations,
  tscKhz: number,
): Promise<StageTimes> {
  return stagesOf(await traceOf(events, work), stations, tscKhz);
}

/** Whether a line of the trace is of a station: the event's name and its fields. */
export type Station = (event: string, fields: string) => boolean;

/** Stage times from ftrace's text (linux: Documentation/trace/ftrace.rst). */
export function stagesOf(trace: string, { nic, vcpu, thread, sender }: Stations, tscKhz: number): StageTimes {
  const stations: Station[] = [
    (event, fields) => event === 'irq_handler_entry' && fields.includes(`(${nic})`),
    (event) => event === 'kvm_doorbell' || event === 'kvm_msi_set_irq',
    onCpu(thread),
    intoGuest(vcpu),
    (event, fields) => event === 'irq_handler_entry' && fields.includes(`name=${sender}-rx`),
  ];
  const times: StageTimes = Object.fromEntries(stageNames.map((name) => [name, []])) as never;
  for (const passed of passages(trace, stations))
    stageNames.forEach((name, stage) => {
      const cycles = (passed[stage + 1] ?? 0) - (passed[stage] ?? 0);
      times[name].push((cycles * 1e6) / tscKhz);
    });
  return times;
}

export const rung: Station = (event) => event === 'kvm_doorbell';
export const onCpu =
  (thread: number): Station =>
  (event, fields) =>
    event === 'sched_switch' && fields.includes(` next_pid=${thread} `);
export const intoGuest =
  (vcpu: number): Station =>
  (event, fields) =>
    event === 'kvm_entry' && fields.startsWith(`vcpu ${vcpu},`);

/** The TSC at each station, of each passage that touched all of them in order. */
export function passages(trace: string, stations: readonly Station[]): number[][] {
  const last = stations.length - 1;
  const found: number[][] = [];
  let passed: number[] = [];
  for (const line of trace.split('\n')) {
    const [, clock, event = '', fields = ''] = /\s(\d+): (\w+): (.*)$/.exec(line) ?? [];
    if (clock === undefined) continue;
    if (stations[0]?.(event, fields)) passed = [Number(clock)];
    else if (passed.length > 0 && stations[passed.length]?.(event, fields)) passed.push(Number(clock));
    // At the end: on time, or without having passed all the others.
    if (!stations[last]?.(event, fields)) continue;
    if (passed.length === stations.length) found.push(passed);
    passed = [];
  }
  return found;
}
