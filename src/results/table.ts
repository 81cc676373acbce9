// SPDX-License-Identifier: Apache-2.0
import { deckFigures, deckHardware, deckRow } from './deck.js';
import type { PathResult, Result } from './schema.js';
import { describeClock, partialLines } from './words.js';

type Cell = string;
interface Column {
  head: string;
  cell: (path: PathResult) => Cell;
}

const us = (ns: number | undefined) => (ns === undefined ? '-' : (ns / 1000).toFixed(2));
const plain = (value: number | null, digits = 2) => (value === null ? '-' : value.toFixed(digits));
const percent = (share: number | null) => (share === null ? '-' : `${(share * 100).toFixed(1)} %`);

/** Rows of text with aligned columns; the first is flush left, figures flush right. */
export function align(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  return rows
    .map((row) =>
      row
        .map((cell, column) =>
          column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0),
        )
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

function table(first: string, paths: readonly PathResult[], columns: readonly Column[]): string {
  return align([
    [first, ...columns.map((column) => column.head)],
    ...paths.map((path) => [path.title, ...columns.map((column) => column.cell(path))]),
  ]);
}

/** The deck's table: minimum, average, maximum; the deck's own figures apart and named. */
function deckTable(paths: readonly PathResult[]): string {
  const deck = (path: PathResult) => {
    const figures = deckFigures[path.name];
    return figures ? `${figures.join(' / ')}  (${deckRow[path.name]})` : '-';
  };
  return table('Round trip, us', paths, [
    { head: 'minimum', cell: (path) => us(path.latency_ns.min) },
    { head: 'average', cell: (path) => us(path.latency_ns.avg) },
    { head: 'maximum', cell: (path) => us(path.latency_ns.max) },
    { head: "the talk's min / avg / max *", cell: deck },
  ]);
}

function pathTable(paths: readonly PathResult[]): string {
  return table('', paths, [
    { head: 'p50 us', cell: (path) => us(path.latency_ns.p50) },
    { head: 'p99 us', cell: (path) => us(path.latency_ns.p99) },
    { head: 'added p50', cell: (path) => us(path.added_ns?.p50) },
    { head: 'added p99', cell: (path) => us(path.added_ns?.p99) },
    { head: 'exits/packet', cell: (path) => plain(path.exits_per_packet) },
    { head: 'NIC irqs injected/packet', cell: (path) => plain(path.injected_interrupts_per_packet) },
    { head: 'ticks/packet', cell: (path) => plain(path.timer_ticks_per_packet, 3) },
    { head: 'CPU handed back', cell: (path) => percent(path.cpu_handed_back) },
    { head: 'sent', cell: (path) => String(path.sent) },
    { head: 'lost', cell: (path) => String(path.lost) },
    { head: 'late', cell: (path) => String(path.late) },
    { head: 'postponed', cell: (path) => plain(path.postponed ?? null, 0) },
  ]);
}

function exitLines(paths: readonly PathResult[]): string {
  const lines = paths.flatMap((path) => {
    if (!path.exits_by_reason) return [];
    const reasons = Object.entries(path.exits_by_reason).sort(([, a], [, b]) => b - a);
    const text = reasons.map(([reason, count]) => `${reason} ${count.toFixed(2)}`).join(', ');
    return [`  ${path.name}: ${text || 'none'}`];
  });
  return ['Exits per packet by reason (a round of its own, with tracing on):', ...lines].join('\n');
}

/** Where the time goes; '' if it was not measured in parts. */
function stageTable(paths: readonly PathResult[]): string {
  const staged = paths.filter(({ stages }) => stages?.length);
  const names = [...new Set(staged.flatMap(({ stages }) => stages?.map(({ name }) => name) ?? []))];
  if (names.length === 0) return '';
  const columns = names.map((name) => ({
    head: name,
    cell: (path: PathResult) => us(path.stages?.find((stage) => stage.name === name)?.ns.p50),
  }));
  return `Stage by stage, p50 us (a round of its own, with tracing on):\n${table('', staged, columns)}\n`;
}

function targetLines(result: Result): string {
  const lines = result.targets.map(
    ({ name, limit, measured, reached }) =>
      `  ${reached ? 'reached    ' : 'NOT REACHED'}  ${name}: ${measured ?? 'not measured'} (${limit})`,
  );
  return ['Targets:', ...lines].join('\n');
}

/** The whole result as a person reads it. */
export function renderResult(result: Result): string {
  const { traffic } = result;
  const everything = [...result.paths, ...result.references];
  return [
    ...partialLines(result),
    `One packet each ${traffic.interval_us} us, sleep after ${traffic.idle_threshold_us} us idle (CPU handed back: after ${traffic.handback_idle_threshold_us} us).`,
    describeClock(result.clock),
    '',
    deckTable(everything),
    `* Of the KVM4NFV talk that this began from, on its hardware (${deckHardware}); not comparable with ours in absolute terms.`,
    '',
    pathTable(everything),
    '',
    exitLines(result.paths),
    '',
    ...[stageTable(result.paths)].filter((text) => text !== ''),
    targetLines(result),
    result.retries > 0
      ? `\n${result.retries} attempt(s) failed before: ${result.failed_attempts.map(({ why }) => why).join('; ')}`
      : '',
  ]
    .join('\n')
    .trimEnd();
}
