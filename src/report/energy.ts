// SPDX-License-Identifier: Apache-2.0
import type { Run } from '../comparison/compare.js';
import { energyLines } from '../results/energy.js';
import { html, type Markup } from './html.js';
import { runLetter } from './series.js';

/** What the hosts consumed, where that could be measured; a run's notes say why where it could not. */
export function energySection(runs: readonly Run[]): Markup | undefined {
  if (runs.every(({ result }) => !result.energy)) return undefined;
  return html`<section><h2>Energy</h2>
    ${runs.map(({ result: { energy } }, index) => {
      const [head, ...lines] = energy ? energyLines(energy) : ['Not measured.'];
      return html`<p class="soft">${runs.length > 1 && html`<b>Run ${runLetter(index)}.</b> `}${head}</p>
        <ul>${lines.map((line) => html`<li>${line.trim()}</li>`)}</ul>`;
    })}</section>`;
}
