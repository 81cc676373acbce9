// SPDX-License-Identifier: Apache-2.0
import { align } from '../results/table.js';
import type { Comparison, Pair } from './schema.js';
import { describeRanks, formatUs, nameSides } from './words.js';

const verdicts = {
  faster: 'faster',
  slower: 'slower',
  'no-difference-shown': 'no difference shown',
  'not-judged': 'not judged',
} as const;

const figure = (value: number | null, digits: number) => (value === null ? '-' : value.toFixed(digits));

function pairText(pair: Pair, caveats: readonly string[]): string {
  const names = nameSides(pair.first, pair.second);
  const { exits_per_packet, injected_interrupts_per_packet, cpu_handed_back } = pair.beside;
  const share = (value: number | null) => (value === null ? '-' : `${(value * 100).toFixed(1)} %`);
  const table = align([
    ['', ...names, 'difference', '95 % interval', 'tolerance', 'verdict'],
    ...pair.differences.map(
      ({ statistic, first_ns, second_ns, difference_ns, interval_ns, tolerance_ns, verdict }) => [
        `${statistic}, µs`,
        formatUs(first_ns),
        formatUs(second_ns),
        formatUs(difference_ns),
        `${formatUs(interval_ns[0])} to ${formatUs(interval_ns[1])}`,
        formatUs(tolerance_ns),
        verdicts[verdict],
      ],
    ),
    ['exits/packet', ...exits_per_packet.map((value) => figure(value, 2)), '', '', '', ''],
    [
      'NIC irqs injected/packet',
      ...injected_interrupts_per_packet.map((value) => figure(value, 2)),
      '',
      '',
      '',
    ],
    ['CPU handed back', ...cpu_handed_back.map(share), '', '', '', ''],
    ['received', String(pair.first.received), String(pair.second.received), '', '', '', ''],
    ['lost', String(pair.first.lost), String(pair.second.lost), '', '', '', ''],
  ]);
  return [pair.verdict, '', table, '', describeRanks(pair), ...caveats.map((line) => `- ${line}`)].join('\n');
}

const inEach = (pairs: readonly Pair[]) => (caveat: string) =>
  pairs.every(({ caveats }) => caveats.includes(caveat));

/** A comparison as a person reads it. */
export function renderComparison({ pairs, unlike, notes }: Comparison): string {
  const [first] = pairs;
  const runs =
    first && first.first.source !== first.second.source
      ? [
          `A: ${first.first.source} (${first.first.made})`,
          `B: ${first.second.source} (${first.second.made})`,
          '',
        ]
      : [];
  const forced = unlike.map(({ what, first, second }) => `UNLIKE in ${what}: ${first}; ${second}`);
  const common = pairs.length > 1 ? (first?.caveats ?? []).filter(inEach(pairs)) : [];
  const own = (pair: Pair) => pair.caveats.filter((caveat) => !common.includes(caveat));
  const rule = `\n\n${'-'.repeat(60)}\n\n`;
  return [
    ...runs,
    ...forced,
    ...notes,
    ...(forced.length + notes.length > 0 ? [''] : []),
    pairs.map((pair) => pairText(pair, own(pair))).join(rule),
    ...(common.length > 0 ? ['', 'Of all of these:', ...common.map((line) => `- ${line}`)] : []),
  ].join('\n');
}
