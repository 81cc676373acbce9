// SPDX-License-Identifier: Apache-2.0
import { FileHost } from '../../host-agent/host/host.js';
import { SystemCommands } from '../../host-agent/host/host-commands.js';
import { EnergyMeter } from '../energy/meter.js';
import { type Energy, energyLines } from '../results/energy.js';
import type { Progress } from '../support/progress.js';

/** How long the machine is watched before and after. ms */
const idleMs = 3_000;

export type Taken = { energy: Energy } | { energy_absent: string };

/**
 * What this machine consumes before, while and after something is measured. No VM takes part in a bench, and no packet, so
 * that neither has a share.
 */
export async function withEnergy<T>(
  of: string,
  progress: Progress,
  work: () => Promise<T>,
): Promise<{ done: T; taken: Taken }> {
  const power = EnergyMeter.open(new FileHost('/', new SystemCommands()), null);
  if ('absent' in power) return { done: await work(), taken: { energy_absent: power.absent } };
  const { meter } = power;
  progress.step('what this machine consumes before');
  await meter.before(idleMs);
  const done = await meter.during(work, () => ({ of, packets: null }));
  await meter.after(idleMs);
  return { done, taken: { energy: meter.energy } };
}

/** For people; a figure for nothing that was not measured. */
export function energyText({
  energy,
  energy_absent,
}: {
  energy?: Energy | undefined;
  energy_absent?: string | undefined;
}): string {
  if (energy) return `\n${energyLines(energy).join('\n')}\n`;
  return energy_absent === undefined ? '' : `\nEnergy was not measured: ${energy_absent}.\n`;
}
