// SPDX-License-Identifier: Apache-2.0

import { describeClock } from '../../../results/words.js';
import type { ModeName } from '../../table-events.js';
import { columnsOf, percent, usColumn } from './columns.js';
import { failedAttempts } from './header.js';
import type { Modes } from './modes.js';

const titles: Record<ModeName, string> = {
  'native-poll': 'host, polling',
  'native-interrupt': 'host, interrupt mode',
  poll: 'in-VM, polling',
  injected: 'in-VM, injected interrupts',
  vmcall: 'in-VM, VM call',
};

/** The working modes as a person reads them. */
export function renderModes(table: Modes): string {
  const { traffic, rows } = table;
  return [
    `DPDK's working modes: one packet each ${traffic.interval_us} us, sleep after ${traffic.idle_threshold_us} us idle (CPU: after ${traffic.cpu_idle_threshold_us} us).`,
    describeClock(table.clock),
    '',
    columnsOf(rows, {
      'Round trip, us': ({ mode }) => titles[mode],
      'DPDK CPU': ({ cpu }) => cpu,
      minimum: ({ rtt_ns }) => usColumn(rtt_ns?.min),
      average: ({ rtt_ns }) => usColumn(rtt_ns?.avg),
      maximum: ({ rtt_ns }) => usColumn(rtt_ns?.max),
      p50: ({ rtt_ns }) => usColumn(rtt_ns?.p50),
      p99: ({ rtt_ns }) => usColumn(rtt_ns?.p99),
      'CPU use *': ({ cpu_use }) => percent(cpu_use),
      "other's CPU **": ({ cpu, cpu_use }) => percent(cpu === 'shared' ? 1 - cpu_use : null),
      "other's work ***": ({ work_per_s }) =>
        work_per_s === null ? '-' : `${(work_per_s / 1e6).toFixed(2)} M/s`,
      sent: ({ sent }) => String(sent),
      lost: ({ lost }) => String(lost),
      late: ({ late }) => String(late),
    }),
    '* Of the DPDK CPU: all but its idle time, or but the time of the process that shares it. The program (its vCPU)',
    '  is real-time (FIFO).',
    '** Of an ordinary process (SCHED_OTHER) that computes on that CPU without end.',
    '*** Rounds of its loop. On the instruction clock virtual CPUs take turns: the sender, which spins on its own CPU',
    '  for as long as a reply takes, has a part in how many they are; the share of the CPU is free of that.',
    ...failedAttempts(table),
  ].join('\n');
}
