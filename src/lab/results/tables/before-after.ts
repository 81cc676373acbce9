// SPDX-License-Identifier: Apache-2.0
import { z } from 'zod';
import type { LabEvent } from '../../events.js';
import { knobSets, knobsAt, knobsNotShown, labKnobs } from '../../knobs.js';
import { places } from '../../table-events.js';
import { burstTotalsOf, burstTotalsSchema } from './burst-totals.js';
import { type Header, headerSchema } from './header.js';

const name = z.string().max(64);
const text = z.string().max(1000);

/** The program at one place with one set of knobs in force. */
export const tunedRowSchema = z.strictObject({
  place: z.enum(places),
  knobs: z.array(name).max(32),
  ...burstTotalsSchema.shape,
});
export type TunedRow = z.infer<typeof tunedRowSchema>;

/** The deck's before/after table, with each knob's own share, measured in one run. */
export const beforeAfterSchema = z.strictObject({
  format: z.literal('vmcall-before-after'),
  version: z.literal(1),
  ...headerSchema.shape,
  /** In the order of adding. */
  knobs: z
    .array(z.strictObject({ name, untuned: text, tuned: text, places: z.array(z.enum(places)) }))
    .max(32),
  not_shown: z.array(z.strictObject({ name, why: text })).max(32),
  rows: z.array(tunedRowSchema).max(256),
});
export type BeforeAfter = z.infer<typeof beforeAfterSchema>;

/** The document of one run of scenario `before-after`. */
export function assembleBeforeAfter(events: readonly LabEvent[], header: Header): BeforeAfter {
  const bursts = events.filter((event) => event.type === 'tuned');
  const rows = places.flatMap((place) =>
    knobSets(place).flatMap((set): TunedRow[] => {
      const mine = bursts.filter((burst) => burst.place === place && sameKnobs(burst.knobs, set));
      return mine.length > 0
        ? [{ place, knobs: set, ...burstTotalsOf(mine.map(({ generator }) => generator)) }]
        : [];
    }),
  );
  return beforeAfterSchema.parse({
    format: 'vmcall-before-after',
    version: 1,
    ...header,
    knobs: labKnobs.map((knob) => ({ ...knob, places: [...knob.places] })),
    not_shown: [
      ...knobsNotShown,
      ...events.flatMap((event) =>
        event.type === 'c-states'
          ? [
              {
                name: 'resume-latency',
                why: `${event.message} (vmcall cstates: exit code ${event.exitCode})`,
              },
            ]
          : [],
      ),
    ],
    rows,
  } satisfies BeforeAfter);
}

export function sameKnobs(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((knob) => b.includes(knob));
}

/** What one knob does: added to those before it, and taken away from all. Each null where it was not measured. */
export interface KnobShare {
  knob: string;
  without: TunedRow['rtt_ns'];
  /** Added to the ones before it. */
  added: { from: TunedRow['rtt_ns']; to: TunedRow['rtt_ns'] };
  /** All knobs in force. */
  all: TunedRow['rtt_ns'];
}

/** Each knob's own share at one place, in the order of adding. */
export function knobShares({ rows }: BeforeAfter, place: TunedRow['place']): KnobShare[] {
  const knobs = knobsAt(place);
  const of = (set: readonly string[]) =>
    rows.find((row) => row.place === place && sameKnobs(row.knobs, set))?.rtt_ns ?? null;
  return knobs.map((knob, at) => ({
    knob,
    added: { from: of(knobs.slice(0, at)), to: of(knobs.slice(0, at + 1)) },
    without: of(knobs.filter((other) => other !== knob)),
    all: of(knobs),
  }));
}
