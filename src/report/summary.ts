// SPDX-License-Identifier: Apache-2.0
import type { Run } from '../comparison/compare.js';
import type { Pair } from '../comparison/schema.js';
import { describeDifference, formatUs } from '../comparison/words.js';
import { deckFigures, deckHardware, deckRow } from '../results/deck.js';
import { mainPathOf, mainTitles } from '../results/main-path.js';
import type { PathResult, Result } from '../results/schema.js';
import { describeClock, describePartial, describeQuantity } from '../results/words.js';
import { html, type Markup } from './html.js';
import { runLetter, shortTitle } from './series.js';

const date = (iso: string) =>
  `${new Date(iso).toLocaleDateString('en-GB', { day: 'numeric', month: 'long', year: 'numeric', timeZone: 'UTC' })}, ${iso.slice(11, 16)} UTC`;

function mainTitle(result: Result): string {
  const main = mainPathOf(result);
  return main ? mainTitles[main.name] : '';
}

function headline({ result }: Run, pair: Pair | undefined): string {
  const median = pair?.differences[0];
  if (!pair || !median)
    return `${describeQuantity(result.quantity)}: ${result.paths.map(({ name }) => shortTitle(name)).join(', ')}`;
  const size = `${(Math.abs(median.difference_ns) / 1000).toFixed(1)} µs`;
  const way = mainTitle(result);
  const done = result.quantity === 'round-trip' ? 'a packet is back' : 'a VM is awake';
  switch (median.verdict) {
    case 'faster':
      return `By ${way} ${done} ${size} sooner than by injected interrupts`;
    case 'slower':
      return `By ${way} ${done} ${size} later than by injected interrupts`;
    case 'not-judged':
      return 'VM call and injected interrupts: too little was measured to judge';
    default:
      return `No difference shown between ${way} and injected interrupts`;
  }
}

/** The verdict with names that a person knows. */
function lead({ result }: Run, { differences }: Pair): string {
  const names = ['injected interrupts', `the ${mainTitle(result)}`] as const;
  return differences
    .filter(({ statistic }) => statistic !== 'max')
    .map((difference) => describeDifference(difference, names))
    .map((sentence) => sentence.charAt(0).toUpperCase() + sentence.slice(1))
    .join(' ');
}

function tile(label: string, value: string, unit: string, against: string): Markup {
  return html`<div class="tile"><dt>${label}</dt><dd><div class="big">${value} <small>${unit}</small></div><div class="against">${against}</div></dd></div>`;
}

function tiles(main: PathResult, injected: PathResult, quantity: string): Markup {
  const added = (path: PathResult) => (path.added_ns ? formatUs(path.added_ns.p50) : '–');
  const share = (value: number | null) => (value === null ? '–' : (value * 100).toFixed(1));
  const plain = (value: number | null) => (value === null ? '–' : value.toFixed(2));
  return html`<dl class="tiles">
    ${tile(`${quantity}, median`, formatUs(main.latency_ns.p50), 'µs', `injected: ${formatUs(injected.latency_ns.p50)} µs`)}
    ${tile('Added to polling, median', added(main), 'µs', `injected: ${added(injected)} µs`)}
    ${tile('Interrupts injected', plain(main.injected_interrupts_per_packet), 'a packet', `injected: ${plain(injected.injected_interrupts_per_packet)}`)}
    ${tile('CPU handed back', share(main.cpu_handed_back), '%', `injected: ${share(injected.cpu_handed_back)} %`)}
  </dl>`;
}

/** The deck's table: minimum, average, maximum; the deck's own figures in a column of their own. */
function deckTable({ result }: Run, caption: string): Markup {
  const main = mainPathOf(result);
  const deck = (path: PathResult) => {
    const figures = deckFigures[path.name];
    return figures && html`${figures.join(' / ')}<small>${deckRow[path.name]}</small>`;
  };
  const everything = [...result.paths, ...result.references];
  const anyDeck = everything.some((path) => deckFigures[path.name]);
  return html`<div class="scroll"><table class="stack">
    <thead><tr><th scope="col">${caption}</th><th scope="col">minimum</th><th scope="col">average</th><th scope="col">maximum</th>${anyDeck && html`<th scope="col">the talk's, on its hardware*</th>`}</tr></thead>
    <tbody>${everything.map(
      (path) => html`<tr${path.name === main?.name && html` class="main"`}>
        <th scope="row">${shortTitle(path.name)}<small>${path.title}</small></th>
        <td data-head="minimum">${formatUs(path.latency_ns.min)}</td><td data-head="average">${formatUs(path.latency_ns.avg)}</td><td data-head="maximum">${formatUs(path.latency_ns.max)}</td>
        ${anyDeck && html`<td class="deck full${!deck(path) && ' empty'}" data-head="the talk's min / avg / max, on its hardware*">${deck(path)}</td>`}</tr>`,
    )}</tbody></table></div>
    ${anyDeck && html`<p class="note" style="margin-top:10px">* Of the KVM4NFV talk that this began from: minimum / average / maximum in µs, on ${deckHardware}. Not ours, and not comparable with ours in absolute terms.</p>`}`;
}

function targets({ targets }: Result): Markup | undefined {
  if (targets.length === 0) return undefined;
  const reached = targets.filter((target) => target.reached).length;
  return html`<h3>Targets: ${reached} of ${targets.length} reached</h3>
    <ul class="targets">${targets.map(
      (target) => html`<li><span>${target.name} <span class="soft">(${target.limit})</span></span>
        <span class="${target.reached ? 'reached' : 'missed'}">${target.measured ?? 'not measured'}${target.reached ? ' ✓' : ' · not reached'}</span></li>`,
    )}</ul>`;
}

function traffic({ traffic, retries, paths, references }: Result): string {
  const sent = [...paths, ...references].reduce((sum, path) => sum + path.sent, 0);
  const lost = [...paths, ...references].reduce((sum, path) => sum + path.lost, 0);
  const late = paths.reduce((sum, path) => sum + path.late, 0);
  const postponed = paths.reduce((sum, path) => sum + (path.postponed ?? 0), 0);
  const rounds = traffic.rounds > 1 ? `, in ${traffic.rounds} rounds in which the paths took turns` : '';
  const pattern =
    traffic.interval_us === null
      ? `${traffic.packets} samples a path`
      : `One packet each ${traffic.interval_us} µs, ${traffic.packets} a path${rounds}; sleep after ${traffic.idle_threshold_us} µs idle`;
  const failed = retries > 0 ? ` ${retries} attempt(s) failed before this run.` : '';
  return `${pattern}. ${lost} of ${sent} lost${late > 0 ? `, ${late} late` : ''}${postponed > 0 ? `, ${postponed} sent later than that as the reply before was late` : ''}.${failed}`;
}

/** What a person who reads one screen needs. */
export function summarySection(runs: readonly Run[], pair: Pair | undefined): Markup {
  const [first] = runs;
  if (!first) return html``;
  const main = mainPathOf(first.result);
  const injected = first.result.paths.find(({ name }) => name === 'injected');
  const clocks = [...new Set(runs.map(({ result }) => result.clock))].map((clock) => {
    const letters = runs.flatMap(({ result }, index) => (result.clock === clock ? [runLetter(index)] : []));
    return { clock, of: runs.length > 1 ? `${letters.join(', ')}: ` : '' };
  });
  return html`
    <p class="over">${first.result.made_by.name} · measured ${runs.map(({ result }, index) => `${index > 0 ? '; ' : ''}${runs.length > 1 ? `${runLetter(index)}: ` : ''}${date(result.made)}`)}</p>
    ${runs.map(({ result }, index) => {
      const partial = describePartial(result);
      return (
        partial &&
        html`<p class="partial"><b>${runs.length > 1 && `Run ${runLetter(index)}: `}partial.</b> It was ${partial}; here is what was measured until then.</p>`
      );
    })}
    <h1>${headline(first, pair)}</h1>
    ${pair && html`<p class="lead">${lead(first, pair)}</p>`}
    ${main && injected && tiles(main, injected, describeQuantity(first.result.quantity))}
    ${clocks.map(({ clock, of }) => html`<p class="clock">${of}${describeClock(clock)}</p>`)}
    <section style="margin-top:36px"><h2>${describeQuantity(first.result.quantity)}, µs</h2>
    ${runs.map(
      (run, index) => html`
      <p class="soft${index > 0 && ' next'}">${runs.length > 1 && html`<b>Run ${runLetter(index)}</b> (${run.source}). `}${traffic(run.result)}</p>
      ${deckTable(run, runs.length > 1 ? `Run ${runLetter(index)}` : 'Path')}
      ${targets(run.result)}`,
    )}
    </section>`;
}
