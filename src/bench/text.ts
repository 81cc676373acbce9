// SPDX-License-Identifier: Apache-2.0

import type { TargetResult } from '../results/schema.js';
import { energyText } from './energy.js';
import type { Overhead, Scale } from './schema.js';

const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(0)} MB`;
const percent = (share: number) => `${(share * 100).toFixed(2)} %`;

/** Lines of a name and what was measured, the names in one column. */
function table(rows: readonly (readonly [string, string])[]): string {
  const width = Math.max(...rows.map(([name]) => name.length));
  return rows.map(([name, value]) => `${name.padEnd(width)}  ${value}\n`).join('');
}

export function targetLines(targets: readonly TargetResult[]): string {
  return table(
    targets.map(({ name, limit, measured, reached }) => [
      name,
      `${measured ?? 'not measured'} (${limit}): ${reached ? 'REACHED' : 'NOT REACHED'}`,
    ]),
  );
}

export function scaleText(scale: Scale): string {
  const delay = ({ p50, p99, max }: { p50: number; p99: number; max: number }) =>
    `p50 ${p50}, p99 ${p99}, max ${max} ms`;
  const { steady, whole } = scale.event_loop_delay_ms;
  const { cpus, load, node } = scale.machine;
  const rows = [
    ['guests', String(scale.guests)],
    ['all connected after', `${scale.connect_s} s`],
    ['event-loop delay, all reporting', delay(steady)],
    ['event-loop delay, switching too', delay(whole)],
    ['CPU, all reporting', percent(scale.cpu_share)],
    ['resident memory', `${megabytes(scale.resident_bytes)}, peak ${megabytes(scale.resident_peak_bytes)}`],
    [
      'switched',
      `${scale.switched} of ${scale.guests}${scale.switch_s === null ? '' : ` within ${scale.switch_s} s`}`,
    ],
    ['reports', `${scale.reports} came, ${scale.reports_missing} missing`],
    ['sessions lost', String(scale.sessions_lost)],
    ['machine', `${cpus} CPUs, load ${load} before, Node.js ${node}`],
  ] as const;
  const problems = scale.problems.map((problem) => `  ${problem}\n`).join('');
  return `${table(rows)}${problems}\n${targetLines(scale.targets)}\nEvent-loop delays hold the millisecond that their monitor waits for on purpose.\n${energyText(scale)}`;
}

export function overheadText(overhead: Overhead): string {
  const { host_agent, guest_agent, dataplane, machine, targets } = overhead;
  const rows = [
    [
      'host agent',
      `${percent(host_agent.cpu_share)} of a CPU with ${host_agent.guests} guests, ${percent(host_agent.cold_cpu_share)} in its first minutes`,
    ],
    ['guest agent', `${percent(guest_agent.cpu_share)} of a CPU, ${guest_agent.wakes} wakes reported`],
    [
      "dataplane's counting",
      dataplane ? `${dataplane.wake} instructions a wake, ${dataplane.packet} a packet` : 'not measured',
    ],
    ['machine', `${machine.cpus} CPUs, load ${machine.load} before, Node.js ${machine.node}`],
  ] as const;
  return `${table(rows)}\n${targetLines(targets)}${energyText(overhead)}`;
}
