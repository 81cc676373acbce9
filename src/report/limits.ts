// SPDX-License-Identifier: Apache-2.0
import type { Run } from '../comparison/compare.js';
import { platformLimits, publishedMaxima, toolOf, whatLimitsMean } from '../results/limits.js';
import { html, type Markup } from './html.js';
import { runLetter } from './series.js';

/** The maximum of all paths of a run by that tool, us; '–' for a run of something else. */
function measured({ result }: Run, tool: string): string {
  const received = result.paths.filter((path) => path.received > 0);
  return toolOf(result) === tool && received.length > 0
    ? (Math.max(...received.map(({ latency_ns }) => latency_ns.max)) / 1000).toFixed(2)
    : '–';
}

/** The figures that platform teams are held to, each named as theirs, beside what these runs hold of the kind. */
export function limitsSection(runs: readonly Run[]): Markup {
  const rows = [...platformLimits, ...publishedMaxima];
  return html`<section><h2>What platforms are held to</h2>
    <p class="soft">Maxima in µs, theirs and not ours. ${whatLimitsMean}</p>
    <div class="scroll"><table>
    <thead><tr><th scope="col">theirs</th><th scope="col">tool</th><th scope="col">maximum, µs</th>${runs.map((_, index) => html`<th scope="col">${runs.length > 1 ? `run ${runLetter(index)}` : 'this run'}</th>`)}</tr></thead>
    <tbody>${rows.map(
      ({ platform, tool, us, source }) =>
        html`<tr><th scope="row">${platform}<small>${source}</small></th><td>${tool}</td><td>${us}</td>${runs.map((run) => html`<td>${measured(run, tool)}</td>`)}</tr>`,
    )}</tbody></table></div></section>`;
}
