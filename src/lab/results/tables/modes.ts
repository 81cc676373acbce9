// SPDX-License-Identifier: Apache-2.0
import { z } from 'zod';
import type { LabEvent } from '../../events.js';
import { modeNames, type Purpose, sharings } from '../../table-events.js';
import { burstTotalsOf, burstTotalsSchema } from './burst-totals.js';
import { busyShare, idleShare, workRate } from './cpu.js';
import { type Header, headerSchema } from './header.js';

const share = z.number().min(0).max(1);

/** One working mode on one kind of CPU. */
export const modeRowSchema = z.strictObject({
  mode: z.enum(modeNames),
  cpu: z.enum(sharings),
  ...burstTotalsSchema.shape,
  /**
   * Of the DPDK CPU, by the program, its vCPU and the kernel's work for them: where it is dedicated all but its idle
   * time, where it is shared all but the co-located process's.
   */
  cpu_use: share,
  /** The co-located process's work, rounds of its loop per s; null where there is none. */
  work_per_s: z.number().min(0).nullable(),
});
export type ModeRow = z.infer<typeof modeRowSchema>;

/** DPDK's working modes, measured in one run. */
export const modesSchema = z.strictObject({
  format: z.literal('vmcall-modes'),
  version: z.literal(1),
  ...headerSchema.shape,
  rows: z.array(modeRowSchema).max(64),
});
export type Modes = z.infer<typeof modesSchema>;

/** The document of one run of scenario `modes`. */
export function assembleModes(events: readonly LabEvent[], header: Header): Modes {
  const rows = modeNames.flatMap((mode) =>
    sharings.flatMap((cpu): ModeRow[] => {
      const bursts = (purpose: Purpose) =>
        events.flatMap((event) =>
          event.type === 'mode' && event.mode === mode && event.cpu === cpu && event.purpose === purpose
            ? [event.generator]
            : [],
        );
      const forCpu = bursts('cpu');
      if (forCpu.length === 0) return [];
      const shared = cpu === 'shared';
      return [
        {
          mode,
          cpu,
          ...burstTotalsOf(bursts('latency')),
          cpu_use: 1 - (shared ? busyShare(forCpu) : idleShare(forCpu)),
          work_per_s: shared ? workRate(forCpu) : null,
        },
      ];
    }),
  );
  return modesSchema.parse({ format: 'vmcall-modes', version: 1, ...header, rows } satisfies Modes);
}
