// SPDX-License-Identifier: Apache-2.0

import { deckBeforeAfter, deckHardware } from '../../../results/deck.js';
import type { Latency } from '../../../results/schema.js';
import { describeClock } from '../../../results/words.js';
import type { ProgramPlace } from '../../table-events.js';
import { places } from '../../table-events.js';
import { type BeforeAfter, type KnobShare, knobShares, type TunedRow } from './before-after.js';
import { columnsOf, usColumn } from './columns.js';
import { failedAttempts } from './header.js';

const titles: Record<ProgramPlace, string> = { host: 'host', vm: 'in-VM' };

interface DeckRow {
  title: string;
  row: TunedRow;
  deck: readonly number[];
}

/** Before: no knob. After: all of them. */
function deckRows({ rows, knobs }: BeforeAfter): DeckRow[] {
  return places.flatMap((place) => {
    const count = knobs.filter((knob) => knob.places.includes(place)).length;
    return (['before', 'after'] as const).flatMap((moment): DeckRow[] => {
      const row = rows.find(
        (entry) => entry.place === place && entry.knobs.length === (moment === 'before' ? 0 : count),
      );
      return row ? [{ title: `${titles[place]}, ${moment}`, row, deck: deckBeforeAfter[place][moment] }] : [];
    });
  });
}

const change = (from: Latency | null, to: Latency | null, key: 'avg' | 'p99' | 'max') => {
  if (!from || !to) return '-';
  const difference = (to[key] - from[key]) / 1000;
  return `${difference > 0 ? '+' : ''}${difference.toFixed(2)}`;
};

function shares(table: BeforeAfter, place: ProgramPlace): string[] {
  const adding = ({ added }: KnobShare) => added.to;
  return [
    `${titles[place]}: one knob more at a time, and all but one (us):`,
    columnsOf(knobShares(table, place), {
      '': ({ knob }) => `+ ${knob}`,
      average: (share) => usColumn(adding(share)?.avg),
      p99: (share) => usColumn(adding(share)?.p99),
      maximum: (share) => usColumn(adding(share)?.max),
      'its share: avg': ({ added }) => change(added.from, added.to, 'avg'),
      max: ({ added }) => change(added.from, added.to, 'max'),
      '| without it: avg': ({ without }) => usColumn(without?.avg),
      'p99 ': ({ without }) => usColumn(without?.p99),
      'maximum ': ({ without }) => usColumn(without?.max),
      'its share: avg ': ({ without, all }) => change(without, all, 'avg'),
      'max ': ({ without, all }) => change(without, all, 'max'),
    }),
    '',
  ];
}

/** The before/after table as a person reads it. */
export function renderBeforeAfter(table: BeforeAfter): string {
  const { traffic, knobs, not_shown } = table;
  return [
    `Interrupt mode, one packet each ${traffic.interval_us} us, sleep after ${traffic.idle_threshold_us} us idle; an ordinary process computes on the DPDK CPU all the time.`,
    describeClock(table.clock),
    '',
    columnsOf(deckRows(table), {
      'Round trip, us': ({ title }) => title,
      minimum: ({ row }) => usColumn(row.rtt_ns?.min),
      average: ({ row }) => usColumn(row.rtt_ns?.avg),
      maximum: ({ row }) => usColumn(row.rtt_ns?.max),
      p50: ({ row }) => usColumn(row.rtt_ns?.p50),
      p99: ({ row }) => usColumn(row.rtt_ns?.p99),
      sent: ({ row }) => String(row.sent),
      lost: ({ row }) => String(row.lost),
      "the talk's min / avg / max *": ({ deck }) => deck.join(' / '),
    }),
    `* Of the KVM4NFV talk that this began from, on its hardware (${deckHardware}), with its own knobs; not comparable with ours in absolute terms.`,
    '',
    'Before has none of these knobs, after has all (untuned -> tuned):',
    ...knobs.map(
      (knob) =>
        `  ${knob.name} (${knob.places.map((place) => titles[place]).join(', ')}): ${knob.untuned} -> ${knob.tuned}`,
    ),
    '',
    ...places.flatMap((place) => shares(table, place)),
    'Not shown:',
    ...not_shown.map((knob) => `  ${knob.name}: ${knob.why}`),
    ...failedAttempts(table),
  ].join('\n');
}
