// SPDX-License-Identifier: Apache-2.0
import type { ModeName } from '../../lab/table-events.js';
import { align } from '../table.js';
import { describeClock } from '../words.js';
import { failedAttempts } from './header.js';
import type { ModeRow, Modes } from './modes.js';

const titles: Record<ModeName, string> = {
  'native-poll': 'host, polling',
  'native-interrupt': 'host, interrupt mode',
  poll: 'in-VM, polling',
  injected: 'in-VM, injected interrupts',
  vmcall: 'in-VM, VM call',
};

const us = (ns: number | undefined) => (ns === undefined ? '-' : (ns / 1000).toFixed(2));
const percent = (share: number | null) => (share === null ? '-' : `${(share * 100).toFixed(1)} %`);

/** The working modes as a person reads them. */
export function renderModes(table: Modes): string {
  const { traffic, rows } = table;
  const column = (head: string, cell: (row: ModeRow) => string) => [head, ...rows.map(cell)];
  const columns = [
    column('Round trip, us', ({ mode }) => titles[mode]),
    column('DPDK CPU', ({ cpu }) => cpu),
    column('minimum', ({ rtt_ns }) => us(rtt_ns?.min)),
    column('average', ({ rtt_ns }) => us(rtt_ns?.avg)),
    column('maximum', ({ rtt_ns }) => us(rtt_ns?.max)),
    column('p50', ({ rtt_ns }) => us(rtt_ns?.p50)),
    column('p99', ({ rtt_ns }) => us(rtt_ns?.p99)),
    column('CPU use *', ({ cpu_use }) => percent(cpu_use)),
    column("other's CPU **", ({ cpu, cpu_use }) => percent(cpu === 'shared' ? 1 - cpu_use : null)),
    column("other's work ***", ({ work_per_s }) =>
      work_per_s === null ? '-' : `${(work_per_s / 1e6).toFixed(2)} M/s`,
    ),
    column('sent', ({ sent }) => String(sent)),
    column('lost', ({ lost }) => String(lost)),
    column('late', ({ late }) => String(late)),
  ];
  const lines = [0, ...rows.keys()].map((_, line) => columns.map((cells) => cells[line] ?? ''));
  return [
    `DPDK's working modes: one packet each ${traffic.interval_us} us, sleep after ${traffic.idle_threshold_us} us idle (CPU: after ${traffic.cpu_idle_threshold_us} us).`,
    describeClock(table.clock),
    '',
    align(lines),
    '* Of the DPDK CPU: all but its idle time, or but the time of the process that shares it. The program (its vCPU)',
    '  is real-time (FIFO).',
    '** Of an ordinary process (SCHED_OTHER) that computes on that CPU without end.',
    '*** Rounds of its loop. On the instruction clock virtual CPUs take turns: the sender, which spins on its own CPU',
    '  for as long as a reply takes, has a part in how many they are; the share of the CPU is free of that.',
    ...failedAttempts(table),
  ].join('\n');
}
