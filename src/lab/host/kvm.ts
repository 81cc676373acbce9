// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs';
import { readText, writeText } from './commands.js';
import { dpdkVcpu } from './cpus.js';
import type { GuestMachine } from './guest-machine.js';

/** The two per-VM switches of the kernel series (kernel-patches/docs/switching.md). */
export interface KvmSwitch {
  /** VFIO's interrupts handed over in hard IRQ context. */
  irqfdHardirq: boolean;
  /** The yield hypercall and its doorbells. */
  vcpuYield: boolean;
}

/** On a KVM without the series there is nothing to set, and nothing is on. */
export function throwSwitch(guest: GuestMachine, wanted: KvmSwitch): void {
  if (!wanted.vcpuYield && !existsSync('/sys/kernel/kvm')) return;
  writeText(`${guest.kvmFolder}/irqfd_hardirq`, wanted.irqfdHardirq ? '1' : '0');
  writeText(`${guest.kvmFolder}/vcpu_yield`, wanted.vcpuYield ? '1' : '0');
}

const hardIrqsMost = '/sys/module/kvm/parameters/irqfd_hardirq_max';

/** Interrupts a second that each CPU takes in hard IRQ context; a KVM without the series takes none. */
export function limitHardIrqs(perSecond: number): void {
  if (existsSync(hardIrqsMost)) writeText(hardIrqsMost, String(perSecond));
}

/** KVM's own counters of the DPDK vCPU, through QEMU's query-stats (linux: KVM_GET_STATS_FD). */
export async function vcpuCounters(guest: GuestMachine): Promise<Record<string, number>> {
  const answer = (await guest.qmp.execute('query-stats', { target: 'vcpu' })) as {
    'qom-path'?: string;
    stats: { name: string; value: unknown }[];
  }[];
  const cpus = (await guest.qmp.execute('query-cpus-fast')) as { 'cpu-index': number; 'qom-path': string }[];
  const path = cpus.find((cpu) => cpu['cpu-index'] === dpdkVcpu)?.['qom-path'];
  const counters: Record<string, number> = {};
  for (const { name, value } of answer.find((entry) => entry['qom-path'] === path)?.stats ?? [])
    if (typeof value === 'number') counters[name] = value;
  return counters;
}

/** What went up between two readings. */
export function increase(
  before: Record<string, number>,
  after: Record<string, number>,
): Record<string, number> {
  return Object.fromEntries(
    Object.entries(after)
      .map(([name, value]) => [name, value - (before[name] ?? 0)] as const)
      .filter(([, value]) => value !== 0),
  );
}

const tracing = '/sys/kernel/tracing';

/** One line of a trace histogram: its keys and how often they came. */
export type Tally = { keys: Record<string, string>; count: number }[];

/**
 * Counts KVM's tracepoints with the kernel's own trace histograms while `work` runs. Tracing costs
 * instructions on the path, so no latency is quoted from such a round.
 */
export async function tallied<T>(
  work: () => Promise<T>,
): Promise<{ result: T; exits: Tally; injections: Tally; messages: Tally }> {
  const triggers = {
    exits: ['kvm_exit', 'vcpu_id,exit_reason'],
    injections: ['kvm_inj_virq', 'common_pid,vector'],
    messages: ['kvm_msi_set_irq', 'data'],
  } as const;
  const path = (event: string, file: string) => `${tracing}/events/kvm/${event}/${file}`;
  for (const [event, keys] of Object.values(triggers)) writeText(path(event, 'trigger'), `hist:keys=${keys}`);
  try {
    const result = await work();
    const read = (event: string) => parseTally(readText(path(event, 'hist')));
    return {
      result,
      exits: read(triggers.exits[0]),
      injections: read(triggers.injections[0]),
      messages: read(triggers.messages[0]),
    };
  } finally {
    for (const [event, keys] of Object.values(triggers))
      writeText(path(event, 'trigger'), `!hist:keys=${keys}`);
  }
}

/** Lines such as `{ vcpu_id: 1, exit_reason: 120 } hitcount: 42` (linux: Documentation/trace/histogram.rst). */
export function parseTally(text: string): Tally {
  const tally: Tally = [];
  for (const line of text.split('\n')) {
    const match = /^\{(.*)\}\s+hitcount:\s+(\d+)/.exec(line.trim());
    if (!match) continue;
    const keys = Object.fromEntries(
      (match[1] ?? '').split(',').map((pair) => {
        const [name = '', value = ''] = pair.split(':');
        return [name.trim(), value.trim()];
      }),
    );
    tally.push({ keys, count: Number(match[2]) });
  }
  return tally;
}
