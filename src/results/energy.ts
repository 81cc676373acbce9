// SPDX-License-Identifier: Apache-2.0
import { z } from 'zod';

const amount = z.number().min(0);

/** One stretch of time, and what the host's packages and memory consumed in it. */
export const stretchSchema = z.strictObject({
  seconds: z.number().positive(),
  joules: amount,
  /** What an hour of it would take. */
  watt_hours_per_hour: amount,
});
export type Stretch = z.infer<typeof stretchSchema>;

/**
 * What Kepler would count to the VM: of the energy that was not spent in idling, the VM's part of all CPU time
 * (Kepler: "Power Attribution Guide"; QEMU's threads are the VM's).
 */
export const shareSchema = z.strictObject({
  /** CPU time of the VM's process, s. */
  cpu_seconds: amount,
  /** Of the host's CPU time that was not idle; 0 to 1. */
  of_busy: z.number().min(0).max(1),
  joules: amount,
});
export type Share = z.infer<typeof shareSchema>;

export const energySchema = z.strictObject({
  /** RAPL zones that were added up, by their names. */
  zones: z.array(z.string().max(64)).min(1).max(256),
  /** Of the whole host; null where the run was too short for it, or was ended. */
  before: stretchSchema.nullable(),
  after: stretchSchema.nullable(),
  during: z
    .array(
      stretchSchema.extend({
        /** A path's name, or what was measured. */
        of: z.string().max(200),
        /** Packets that the program took in that time; null where they were not counted. */
        packets: z.int().min(0).nullable(),
        joules_per_packet: amount.nullable(),
        vm: shareSchema.nullable(),
      }),
    )
    .max(1024),
});
export type Energy = z.infer<typeof energySchema>;

const watts = ({ joules, seconds }: Pick<Stretch, 'joules' | 'seconds'>) => (joules / seconds).toFixed(1);

/** Lines for people; what was not measured has no figure. */
export function energyLines(energy: Energy): string[] {
  const { zones, before, after, during } = energy;
  const idle = (name: string, stretch: Stretch | null) =>
    stretch === null
      ? []
      : [`  ${name}: ${watts(stretch)} W (${stretch.watt_hours_per_hour.toFixed(1)} Wh an hour)`];
  return [
    `Energy of the whole host (RAPL: ${zones.join(', ')}):`,
    ...idle('before', before),
    ...during.map(({ of, joules_per_packet, vm, ...stretch }) => {
      const packet =
        joules_per_packet === null ? '' : `, ${(joules_per_packet * 1e6).toFixed(1)} uJ a packet`;
      const share =
        vm === null
          ? ''
          : `; Kepler would give the VM ${(vm.joules / stretch.seconds).toFixed(2)} W of it (${(vm.of_busy * 100).toFixed(1)} % of the CPU time that was not idle)`;
      return `  ${of}: ${watts(stretch)} W (${stretch.watt_hours_per_hour.toFixed(1)} Wh an hour)${packet}${share}`;
    }),
    ...idle('after', after),
  ];
}
