// SPDX-License-Identifier: Apache-2.0
import { type LiveDomain, type WakeReason, wakeReasons } from '../protocol/live.js';
import type { Picture } from './observe.js';

export const sortings = ['name', 'rate', 'p99'] as const;
export type Sorting = (typeof sortings)[number];

/** How a line looks on a terminal. */
export type Tone = 'plain' | 'head' | 'soft' | 'bad';
export interface Line {
  text: string;
  tone: Tone;
}

/** Figures older than this are called stale, ms: three reports did not come. */
export const staleMs = 3_500;

interface Column {
  head: string;
  /** Those of the highest number go first where there is no room. */
  rank: number;
  isText?: true;
  cell: (domain: LiveDomain) => string;
}

const none = '-';
const perSecond = (count: number, elapsedUs: number) => (count / elapsedUs) * 1e6;

/** Three digits, or as many as it has before its point. */
export function short(value: number): string {
  if (value >= 99_999.5)
    return value >= 9_999_500 ? `${Math.round(value / 1e6)}M` : `${Math.round(value / 1e3)}k`;
  if (value === 0 || value >= 99.95) return String(Math.round(value));
  return value >= 9.995 ? value.toFixed(1) : value.toFixed(2);
}

/** us, of ns. */
const microseconds = (ns: number | undefined) => (ns === undefined ? none : short(ns / 1000));

const rateOf = ({ interval }: LiveDomain) => interval && perSecond(interval.rx, interval.elapsed_us);
const wakesOf = ({ interval }: LiveDomain, reasons: readonly WakeReason[]) =>
  interval
    ? short(
        perSecond(
          reasons.reduce((sum, reason) => sum + interval.wakes[reason], 0),
          interval.elapsed_us,
        ),
      )
    : none;

function stateOf({ state, session, phase, reason, interval }: LiveDomain): string {
  const age = interval && interval.age_ms > staleMs ? `stale ${Math.round(interval.age_ms / 1000)} s` : '';
  const why = phase === 'reached' ? '' : `${phase}${reason ? ` ${reason.code}` : ''}`;
  const guest = state === 'running' && !session ? 'no guest agent' : '';
  return [why, guest, age].filter((word) => word !== '').join(', ') || phase;
}

const wakeHeads: Record<WakeReason, [head: string, rank: number]> = {
  packet: ['PACKET', 2],
  timeout: ['TIMEOUT', 3],
  interrupt: ['INTR', 4],
  kick: ['KICK', 5],
  control: ['CTRL', 6],
  spurious: ['SPUR', 6],
  off: ['OFF', 7],
  error: ['ERROR', 7],
};

const columns: readonly Column[] = [
  { head: 'DOMAIN', rank: 0, isText: true, cell: ({ name }) => printable(name) },
  { head: 'DESIRED', rank: 3, isText: true, cell: ({ desired }) => desired },
  { head: 'ACTUAL', rank: 0, isText: true, cell: ({ actual }) => actual },
  { head: 'RX/s', rank: 0, cell: (domain) => shortOrNone(rateOf(domain)) },
  { head: 'WAKES/s', rank: 1, cell: (domain) => wakesOf(domain, wakeReasons) },
  ...wakeReasons.map((reason) => ({
    head: wakeHeads[reason][0],
    rank: wakeHeads[reason][1],
    cell: (domain: LiveDomain) => wakesOf(domain, [reason]),
  })),
  {
    head: 'ASLEEP',
    rank: 2,
    cell: ({ interval }) =>
      interval ? `${Math.min(100, (100 * interval.waited_us) / interval.elapsed_us).toFixed(0)}%` : none,
  },
  { head: 'P50 us', rank: 0, cell: ({ interval }) => microseconds(interval?.wake_latency?.p50) },
  { head: 'P99 us', rank: 0, cell: ({ interval }) => microseconds(interval?.wake_latency?.p99) },
  { head: 'MAX us', rank: 0, cell: ({ interval }) => microseconds(interval?.wake_latency?.max) },
  { head: 'STATE', rank: 1, isText: true, cell: stateOf },
];

function shortOrNone(value: number | null): string {
  return value === null ? none : short(value);
}

/** Names come from elsewhere: nothing in them may drive a terminal. */
const printable = (text: string) => text.replaceAll(/\p{C}/gu, '?');

const byName = (a: LiveDomain, b: LiveDomain) => (a.name < b.name ? -1 : 1);
const orders: Record<Sorting, (a: LiveDomain, b: LiveDomain) => number> = {
  name: byName,
  rate: (a, b) => (rateOf(b) ?? -1) - (rateOf(a) ?? -1) || byName(a, b),
  p99: (a, b) =>
    (b.interval?.wake_latency?.p99 ?? -1) - (a.interval?.wake_latency?.p99 ?? -1) || byName(a, b),
};

const nameMost = 32;

/** A line of headings and a line a domain. @param width columns of the terminal; what matters least is left out */
export function table({ domains }: Picture, sorting: Sorting, width: number): Line[] {
  const rows = [...domains].sort(orders[sorting]);
  const shown = fitting(rows, width);
  const line = (words: readonly string[]) =>
    words
      .map((word, at) => {
        const { isText, width: columnWidth } = shown[at] ?? { width: 0 };
        const cut = word.slice(0, columnWidth);
        return isText ? cut.padEnd(columnWidth) : cut.padStart(columnWidth);
      })
      .join('  ')
      .slice(0, width)
      .trimEnd();
  return [
    { text: line(shown.map(({ head }) => head)), tone: 'head' },
    ...rows.map((row) => ({ text: line(shown.map(({ cell }) => cell(row))), tone: toneOf(row) })),
  ];
}

function toneOf({ phase, state, interval }: LiveDomain): Tone {
  if (phase === 'blocked') return 'bad';
  return state !== 'running' || !interval || interval.age_ms > staleMs ? 'soft' : 'plain';
}

type Shown = Column & { width: number };

function fitting(rows: readonly LiveDomain[], width: number): Shown[] {
  let shown: Shown[] = columns.map((column) => ({
    ...column,
    width: Math.max(column.head.length, ...rows.map((row) => Math.min(nameMost, column.cell(row).length))),
  }));
  const room = () => shown.reduce((sum, { width: columnWidth }) => sum + columnWidth + 2, -2);
  for (let rank = Math.max(...columns.map((column) => column.rank)); rank > 0 && room() > width; rank--)
    shown = shown.filter((column) => column.rank < rank);
  return shown;
}
