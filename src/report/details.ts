// SPDX-License-Identifier: Apache-2.0
import type { Run } from '../comparison/compare.js';
import type { Pair } from '../comparison/schema.js';
import { formatUs } from '../comparison/words.js';
import { isMain } from '../results/main-path.js';
import type { PathResult, Result } from '../results/schema.js';
import { bars, coloursFor, type Row } from './bars.js';
import { html, type Markup } from './html.js';
import { runLetter, shortTitle } from './series.js';
import { timelinePlot } from './timeline-plot.js';

const title = (runs: readonly Run[], index: number, path: PathResult) =>
  runs.length > 1 ? `${shortTitle(path.name)} · ${runLetter(index)}` : shortTitle(path.name);

/** Every path of every run with its name, references too. */
const everyPath = (runs: readonly Run[]) =>
  runs.flatMap(({ result }, index) =>
    [...result.paths, ...result.references].map((path) => ({ path, name: title(runs, index, path) })),
  );

const verdictWords = {
  faster: 'faster',
  slower: 'slower',
  'no-difference-shown': 'no difference shown',
  'not-judged': 'not judged',
} as const;

const statisticWords = { p50: 'median', p99: 'p99', max: 'maximum' } as const;

const pairName = ({ first, second }: Pair) =>
  first.path === second.path
    ? `${shortTitle(second.path)}: B against A`
    : `${shortTitle(second.path)} against ${shortTitle(first.path)}`;

function pairRows(pair: Pair): Markup {
  const { p, second_slower, why_not } = pair.rank_test;
  const size = p === null ? why_not : p <= 1e-6 ? 'p ≤ 0.000001' : `p ${p.toPrecision(2)}`;
  return html`
    ${pair.differences.map(
      ({ statistic, difference_ns, interval_ns, tolerance_ns, verdict }, index) => html`
      <tr${index === 0 && html` class="group"`}><th scope="row"${index > 0 && html` class="empty"`}>${index === 0 && pairName(pair)}</th>
        <td class="of">${statisticWords[statistic]}</td>
        <td class="difference">${formatUs(difference_ns)}</td>
        <td class="interval" data-head="95 % interval">${formatUs(interval_ns[0])} to ${formatUs(interval_ns[1])}</td>
        <td class="tolerance" data-head="tolerance">${formatUs(tolerance_ns)}</td>
        <td class="verdict">${verdictWords[verdict]}</td></tr>`,
    )}
    <tr class="last rank"><th scope="row" class="empty"></th><td class="of">rank test</td>
      <td class="full" colspan="4" style="text-align:left">${size}; a ${pair.unit === 'packets' ? 'packet' : 'round'} of the one named first is faster with a chance of ${(1 - second_slower).toFixed(3)}</td></tr>`;
}

/** Differences with their intervals, and what bounds them. */
export function comparisonTable(pairs: readonly Pair[], whyNot: string | undefined): Markup {
  const caveats = [...new Set(pairs.flatMap((pair) => pair.caveats))];
  const heads = ['difference, µs', '95 % interval', 'tolerance', 'verdict'];
  return html`<section><h2>How sure the differences are</h2>
    ${whyNot && html`<p>${whyNot}</p>`}
    ${pairs.length === 0 && !whyNot && html`<p class="soft">There is nothing here to compare.</p>`}
    ${
      pairs.length > 0 &&
      html`
    <p class="soft">Below zero, the one named first is faster. Intervals by bootstrap; a difference within the tolerance is not taken for one.</p>
    <div class="scroll"><table class="stack words"><thead><tr><th scope="col"></th><th scope="col"></th>${heads.map((head) => html`<th scope="col">${head}</th>`)}</tr></thead>
    <tbody>${pairs.map(pairRows)}</tbody></table></div>
    <ul class="note">${caveats.map((caveat) => html`<li>${caveat}</li>`)}</ul>`
    }
  </section>`;
}

/** Exits of the DPDK vCPU by reason. */
export function exitsSection(runs: readonly Run[]): Markup {
  const rows = everyPath(runs).flatMap(({ path, name }) =>
    path.exits_by_reason ? [{ name, path, exits: Object.entries(path.exits_by_reason) }] : [],
  );
  if (rows.length === 0)
    return html`<section><h2>Exits per packet</h2><p class="soft">Not in this document: exits were not counted.</p></section>`;
  const totals = new Map<string, number>();
  for (const { exits } of rows)
    for (const [reason, count] of exits) totals.set(reason, (totals.get(reason) ?? 0) + count);
  const names = [...totals].sort(([, a], [, b]) => b - a).map(([reason]) => reason);
  const colour = coloursFor(names);
  const sum = (exits: readonly [string, number][]) => exits.reduce((total, [, count]) => total + count, 0);
  return html`<section><h2>Exits per packet, by reason</h2>
    <p class="soft">#VMEXITs of the DPDK vCPU, counted in a round of its own with tracing on.</p>
    ${bars(
      rows.map(({ name, exits }): Row => {
        const parts = exits
          .filter(([, count]) => count > 0)
          .sort(([, a], [, b]) => b - a)
          .map(([reason, value]) => ({
            name: reason,
            value,
            text: value.toFixed(3),
            colour: colour(reason),
          }));
        return {
          label: name,
          detail: `${sum(exits).toFixed(2)} in all`,
          parts,
          ...(parts.length === 0 ? { text: 'none' } : {}),
        };
      }),
      Math.max(...rows.map(({ exits }) => sum(exits))),
    )}</section>`;
}

/** What other work got of the DPDK CPU. */
export function handbackSection(runs: readonly Run[]): Markup {
  const rows = everyPath(runs).flatMap(({ path, name }): Row[] =>
    path.cpu_handed_back === null
      ? []
      : [
          {
            label: name,
            text: `${(path.cpu_handed_back * 100).toFixed(1)} %`,
            parts: [
              {
                name: 'handed back',
                value: path.cpu_handed_back,
                text: `${(path.cpu_handed_back * 100).toFixed(1)} %`,
                colour: isMain(path.name) ? `var(--${path.name})` : 'var(--poll)',
              },
            ],
          },
        ],
  );
  if (rows.length === 0)
    return html`<section><h2>CPU handed back</h2><p class="soft">Not in this document: it was not measured.</p></section>`;
  const idle = runs[0]?.result.traffic.handback_idle_threshold_us;
  return html`<section><h2>CPU handed back</h2>
    <p class="soft">What a busy process of the lowest priority got of the DPDK CPU while packets came${typeof idle === 'number' && `, the program sleeping after ${idle} µs idle`}. A path that is fast by not sleeping is no win.</p>
    ${bars(rows, 1)}</section>`;
}

/** The way from the device to the application in parts, and the guest's own wake latency where that is all there is. */
export function stagesSection(runs: readonly Run[]): Markup {
  const staged = everyPath(runs).flatMap(({ path, name }) =>
    path.stages?.length ? [{ name, stages: path.stages }] : [],
  );
  const wakes = everyPath(runs).flatMap(({ path, name }) => {
    const { min, p50, p99, max } = path.wake_latency_ns ?? {};
    return [min, p50, p99, max].every((value) => typeof value === 'number')
      ? [{ name, figures: [min, p50, p99, max].map(Number) }]
      : [];
  });
  const names = [...new Set(staged.flatMap(({ stages }) => stages.map((stage) => stage.name)))];
  const colour = coloursFor(names);
  const sum = (stages: readonly { ns: { avg: number } }[]) =>
    stages.reduce((total, stage) => total + stage.ns.avg, 0);
  return html`<section><h2>From the device to the application</h2>
    ${
      staged.length > 0
        ? html`<p class="soft">Average of each stage, µs: averages add up, percentiles do not.</p>${bars(
            staged.map(({ name, stages }) => ({
              label: name,
              detail: `${formatUs(sum(stages))} µs in all`,
              parts: stages.map((stage) => ({
                name: stage.name,
                value: stage.ns.avg,
                text: formatUs(stage.ns.avg),
                colour: colour(stage.name),
              })),
            })),
            Math.max(...staged.map(({ stages }) => sum(stages))),
          )}`
        : html`<p class="soft">This document has no breakdown by stage: the way was not measured in parts.</p>`
    }
    ${
      wakes.length > 0 &&
      html`<h3>In-VM wake latency, µs</h3><p class="soft">From the host's ring of the doorbell to the program's first instruction after its wait.</p>
      <div class="scroll"><table class="stack"><thead><tr><th scope="col">Path</th>${['minimum', 'p50', 'p99', 'maximum'].map((head) => html`<th scope="col">${head}</th>`)}</tr></thead>
      <tbody>${wakes.map(({ name, figures }) => html`<tr><th scope="row">${name}</th>${figures.map((value, index) => html`<td data-head="${['minimum', 'p50', 'p99', 'maximum'][index]}">${formatUs(value)}</td>`)}</tr>`)}</tbody></table></div>`
    }
  </section>`;
}

export function timelineSection(runs: readonly Run[]): Markup {
  const timed = runs.flatMap(({ result }, index) =>
    result.timeline?.points.length ? [{ timeline: result.timeline, index }] : [],
  );
  return html`<section><h2>Latency over time</h2>
    ${
      timed.length > 0
        ? html`<p class="soft">Medians solid, p99 dotted.</p>${timed.map(({ timeline, index }) => html`${runs.length > 1 && html`<h3>Run ${runLetter(index)}</h3>`}${timelinePlot(timeline)}`)}`
        : html`<p class="soft">This document holds distributions without their course in time, so there is no plot of latency over time, nor marks of switches and tuning.</p>`
    }
  </section>`;
}

/** Every figure there is, for those who want to check. */
export function figuresSection(runs: readonly Run[]): Markup {
  const heads = [
    'min',
    'p50',
    'p90',
    'p99',
    'p99.9',
    'max',
    'sent',
    'lost',
    'late',
    'reordered',
    'ticks a packet',
  ];
  return html`<section><h2>All figures</h2><p class="soft">Times in µs. Late: slower than one packet interval. Ticks: the guest's timer interrupts, no part of a path.</p>
    <div class="scroll"><table><thead><tr><th scope="col">Path</th>${heads.map((head) => html`<th scope="col">${head}</th>`)}</tr></thead>
    <tbody>${everyPath(runs).map(({ path, name }) => {
      const { min, p50, p90, p99, p999, max } = path.latency_ns;
      const ticks = path.timer_ticks_per_packet;
      return html`<tr><th scope="row">${name}</th>${[min, p50, p90, p99, p999, max].map((value) => html`<td>${formatUs(value)}</td>`)}${[path.sent, path.lost, path.late, path.reordered].map((value) => html`<td>${value}</td>`)}<td>${ticks === null ? '–' : ticks.toFixed(3)}</td></tr>`;
    })}</tbody></table></div></section>`;
}

function platform({ platform, tuning, notes, failed_attempts, made_by, repeat }: Result): Markup {
  const facts = (record: Record<string, string>) =>
    html`<dl class="facts">${Object.entries(record).map(([key, value]) => html`<dt>${key}</dt><dd>${value}</dd>`)}</dl>`;
  return html`
    ${Object.keys(platform).length > 0 ? facts(platform) : html`<p class="soft">The document does not say.</p>`}
    <h3>Tuning in force</h3>${tuning ? facts(tuning) : html`<p class="soft">Not recorded beside the kernel's command line.</p>`}
    ${notes.length > 0 && html`<h3>Notes</h3><ul>${notes.map((note) => html`<li>${note}</li>`)}</ul>`}
    ${failed_attempts.length > 0 && html`<h3>Attempts that failed before</h3><ul>${failed_attempts.map(({ why }) => html`<li>${why}</li>`)}</ul>`}
    <h3>How to repeat it</h3><pre>${repeat}</pre><p class="note" style="margin-top:8px">Measured by ${made_by.name}${made_by.version !== 'unknown' && ` ${made_by.version}`}.</p>`;
}

export function platformSection(runs: readonly Run[]): Markup {
  return html`<section><h2>What it ran on</h2>${runs.map(({ result }, index) => html`${runs.length > 1 && html`<h3>Run ${runLetter(index)}</h3>`}${platform(result)}`)}</section>`;
}
