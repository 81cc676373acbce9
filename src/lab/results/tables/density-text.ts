// SPDX-License-Identifier: Apache-2.0

import { describeClock } from '../../../results/words.js';
import { type Arrival, arrivals, type DensityPath, densityPaths } from '../../table-events.js';
import { columnsOf, percent, usColumn } from './columns.js';
import type { DensityRow, DensityTable } from './density.js';
import { failedAttempts } from './header.js';

const titles: Record<DensityPath, string> = {
  poll: 'polling',
  injected: 'injected interrupts',
  vmcall: 'VM call',
};
const arrivalTitles: Record<Arrival, string> = {
  'in-turn': 'Packets to one guest after the other, evenly',
  'at-once': 'Packets to all guests at once',
};

/** Guests that the pCPU could serve if each took as much of it as these do. */
function roomFor({ guests, cpu_left }: DensityRow): string {
  return cpu_left > 0 ? `: enough for ${Math.floor(guests / (1 - cpu_left))} guests, by what each takes` : '';
}

/** What became of a path as guests were added, in a sentence. */
function verdict(rows: readonly DensityRow[], path: DensityPath, arrival: Arrival): string {
  const mine = rows.filter((row) => row.path === path && row.arrival === arrival);
  const collapsed = mine.find((row) => row.collapsed);
  const last = mine.at(-1);
  if (!last) return `  ${titles[path]}: not measured`;
  if (collapsed)
    return `  ${titles[path]}: collapses at ${collapsed.guests} guests (${collapsed.lost} lost and ${collapsed.late} late of ${collapsed.sent}, p50 ${usColumn(collapsed.rtt_ns?.p50)} us, ${percent(collapsed.cpu_left)} of the CPU left)`;
  return `  ${titles[path]}: holds with ${last.guests} guest(s) (none lost, ${last.late} late of ${last.sent}, p99 ${usColumn(last.rtt_ns?.p99)} us, ${percent(last.cpu_left)} of the CPU left${roomFor(last)})`;
}

function part(rows: readonly DensityRow[], arrival: Arrival): string[] {
  const mine = rows.filter((row) => row.arrival === arrival);
  return [
    `${arrivalTitles[arrival]}:`,
    columnsOf(mine, {
      'Round trip, us': ({ path }) => titles[path],
      guests: ({ guests }) => String(guests),
      minimum: ({ rtt_ns }) => usColumn(rtt_ns?.min),
      average: ({ rtt_ns }) => usColumn(rtt_ns?.avg),
      maximum: ({ rtt_ns }) => usColumn(rtt_ns?.max),
      p50: ({ rtt_ns }) => usColumn(rtt_ns?.p50),
      p99: ({ rtt_ns }) => usColumn(rtt_ns?.p99),
      'CPU left': ({ cpu_left }) => percent(cpu_left),
      sent: ({ sent }) => String(sent),
      lost: ({ lost }) => String(lost),
      'late *': ({ late }) => String(late),
    }),
    ...densityPaths.map((path) => verdict(rows, path, arrival)),
    '',
  ];
}

/** How densely guests can share a pCPU, as a person reads it. */
export function renderDensity(table: DensityTable): string {
  const { traffic, rows } = table;
  return [
    `Guests with one DPDK program each, all DPDK vCPUs on one pCPU: each gets one packet each ${traffic.interval_us} us, sleep after ${traffic.idle_threshold_us} us idle.`,
    describeClock(table.clock),
    '',
    ...arrivals.flatMap((arrival) => part(rows, arrival)),
    `* Slower than ${traffic.interval_us} us. A path collapses where a packet is lost or one in a hundred is late.`,
    'vCPUs are real-time (FIFO), but those that poll: ordinary ones, for of real-time ones the first would keep the CPU.',
    'On the instruction clock virtual CPUs take turns: what the sender does on its own CPU while packets are under way is',
    "in the pCPU's use. It needs some 35 us a packet, so closer packets than that are the sender's limit, not a path's.",
    ...failedAttempts(table),
  ].join('\n');
}
