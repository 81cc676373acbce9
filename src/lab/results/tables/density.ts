// SPDX-License-Identifier: Apache-2.0
import { z } from 'zod';
import type { LabEvent } from '../../events.js';
import { arrivals, densityPaths } from '../../table-events.js';
import { burstTotalsOf, burstTotalsSchema } from './burst-totals.js';
import { idleShare } from './cpu.js';
import { type Header, headerSchema } from './header.js';

/** Guests that share one pCPU, on one path. */
export const densityRowSchema = z.strictObject({
  path: z.enum(densityPaths),
  guests: z.int().min(1),
  arrival: z.enum(arrivals),
  ...burstTotalsSchema.shape,
  /** Of the shared pCPU: the time it was idle. */
  cpu_left: z.number().min(0).max(1),
  /** It no longer serves its guests: a packet was lost, or one in a hundred took longer than the interval. */
  collapsed: z.boolean(),
});
export type DensityRow = z.infer<typeof densityRowSchema>;

/** How many guests share a pCPU on each path, measured in one run. */
export const densityTableSchema = z.strictObject({
  format: z.literal('vmcall-density'),
  version: z.literal(1),
  ...headerSchema.shape,
  rows: z.array(densityRowSchema).max(256),
});
export type DensityTable = z.infer<typeof densityTableSchema>;

/** The document of one run of scenario `density`. */
export function assembleDensity(events: readonly LabEvent[], header: Header): DensityTable {
  const bursts = events.filter((event) => event.type === 'density');
  const rank = ({ arrival, path, guests }: DensityRow) =>
    arrivals.indexOf(arrival) * 1e6 + densityPaths.indexOf(path) * 1e3 + guests;
  const rows = bursts.map(({ path, guests, arrival, generator }): DensityRow => {
    const measured = burstTotalsOf([generator]);
    return {
      path,
      guests,
      arrival,
      ...measured,
      cpu_left: idleShare([generator]),
      collapsed: measured.lost > 0 || measured.late * 100 >= measured.sent,
    };
  });
  rows.sort((a, b) => rank(a) - rank(b));
  return densityTableSchema.parse({
    format: 'vmcall-density',
    version: 1,
    ...header,
    rows,
  } satisfies DensityTable);
}
