// SPDX-License-Identifier: Apache-2.0
import { VmcallError } from '../support/errors.js';
import type { Progress } from '../support/progress.js';
import { measureAgentOverhead } from './agent-overhead.js';
import { measureGuestOverhead } from './guest-overhead.js';
import { atMost, below, roundTo } from './judge.js';
import type { Machine } from './machine.js';
import { measureRecordCost, type RecordCost, recordCostMost } from './record-cost.js';
import { type Overhead, overheadSchema } from './schema.js';

/** What measuring may cost: percent of one CPU. */
export const overheadTargets = { hostAgentPercent: 2, hostAgentGuests: 50, guestAgentPercent: 1 } as const;

/** What the agents and the dataplane's counting cost, at a histogram a second of each guest. */
export async function measureOverhead(
  seconds: number,
  machine: Machine,
  progress: Progress,
): Promise<Overhead> {
  const dataplane = await recordCost(progress);
  const guest = await measureGuestOverhead(seconds, progress);
  const { hostAgentGuests, hostAgentPercent, guestAgentPercent } = overheadTargets;
  const host = await measureAgentOverhead(hostAgentGuests, seconds, progress);
  return overheadSchema.parse({
    format: 'vmcall-bench-overhead',
    version: 2,
    seconds,
    host_agent: {
      guests: host.guests,
      reports: host.reports,
      cpu_share: roundTo(host.cpuShare, 4),
      cold_cpu_share: roundTo(host.coldShare, 4),
    },
    guest_agent: { reports: guest.reports, wakes: guest.wakes, cpu_share: roundTo(guest.cpuShare, 4) },
    dataplane,
    machine,
    targets: [
      below(`host agent with ${host.guests} guests, % of a CPU`, host.cpuShare * 100, hostAgentPercent),
      below('guest agent, % of a CPU', guest.cpuShare * 100, guestAgentPercent),
      atMost("dataplane's counting, instructions a packet", dataplane?.packet ?? null, recordCostMost),
    ],
  } satisfies Overhead);
}

async function recordCost(progress: Progress): Promise<RecordCost | null> {
  progress.step("the dataplane's counting, instruction by instruction");
  try {
    return await measureRecordCost();
  } catch (error) {
    if (error instanceof VmcallError && error.code === 'BENCH_NO_VALGRIND') {
      progress.step(`not measured: ${error.message}; ${error.cure}`);
      return null;
    }
    throw error;
  }
}
