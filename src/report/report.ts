// SPDX-License-Identifier: Apache-2.0
import { comparePair, type Run } from '../comparison/compare.js';
import type { Pair } from '../comparison/schema.js';
import { findUnlike } from '../comparison/unlike.js';
import { mainPathFor } from '../results/main-path.js';
import { describeQuantity } from '../results/words.js';
import { projectVersion } from '../support/version.js';
import {
  comparisonTable,
  exitsSection,
  figuresSection,
  handbackSection,
  platformSection,
  stagesSection,
  timelineSection,
} from './details.js';
import { energySection } from './energy.js';
import { beyondHistogram, histogramPlot } from './histogram-plot.js';
import { html, type Markup } from './html.js';
import { limitsSection } from './limits.js';
import { percentilePlot } from './percentile-plot.js';
import { runLetter, type Series, seriesOf } from './series.js';
import { style } from './style.js';
import { summarySection } from './summary.js';

/** As many runs as a plot's lines can be distinguished. */
export const mostRuns = 4;

/** Inside a run: its main path against every other way to be woken. The injected path, which is today's, first. */
function pairsInside(run: Run): Pair[] {
  return run.result.paths.flatMap((path) => {
    const main = mainPathFor(path, run.result);
    return main && path.name !== 'poll' && path.received > 0 ? [comparePair([run, path], [run, main])] : [];
  });
}

/** Between the first run and the second, path by path; or why they are not compared. */
function pairsBetween(first: Run, second: Run): { pairs: Pair[]; whyNot?: string } {
  const unlike = findUnlike(first.result, second.result);
  if (unlike.length > 0)
    return {
      pairs: [],
      whyNot: `Runs A and B are not compared, because they differ in ${unlike.map(({ what }) => what).join(', ')}.`,
    };
  return {
    pairs: first.result.paths.flatMap((path) => {
      const other = second.result.paths.find(({ name }) => name === path.name);
      return other && path.received > 0 && other.received > 0
        ? [comparePair([first, path], [second, other])]
        : [];
    }),
  };
}

function plots(series: readonly Series[], quantity: string): Markup {
  if (series.length === 0) return html`<p>Nothing was received on any path: there is nothing to plot.</p>`;
  return html`
    <section><h2>How slow the slow ones are</h2>
    <p class="soft">${quantity} against the share of packets that took no longer.</p>
    ${percentilePlot(series, quantity)}</section>
    <section><h2>Where most packets lie</h2>
    <p class="soft">Histograms over one another. ${beyondHistogram(series)}</p>
    ${histogramPlot(series, quantity)}</section>`;
}

/**
 * One HTML file about one to four runs, which needs no network, runs no script, and holds nothing that the runs'
 * documents could turn into markup.
 */
export function renderReport(runs: readonly Run[]): string {
  const [first, second] = runs;
  const inside = first ? pairsInside(first) : [];
  const between = first && second ? pairsBetween(first, second) : { pairs: [] };
  const series = seriesOf(runs);
  const quantity = describeQuantity(first?.result.quantity ?? 'unknown');
  const headlinePair = inside.find((pair) => pair.first.path === 'injected');
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>vmcall report: ${runs.map(({ result }) => result.made.slice(0, 16).replace('T', ' ')).join(', ')}</title>
<style>${style}</style>
</head>
<body><main>
${summarySection(runs, headlinePair)}
${plots(series, quantity)}
${comparisonTable([...inside, ...between.pairs], between.whyNot)}
${exitsSection(runs)}
${handbackSection(runs)}
${stagesSection(runs)}
${timelineSection(runs)}
${figuresSection(runs)}
${energySection(runs)}
${limitsSection(runs)}
${platformSection(runs)}
<footer>Made by vmcall ${projectVersion} from ${runs.map(({ source }, index) => `${index > 0 ? ', ' : ''}${runs.length > 1 ? `${runLetter(index)}: ` : ''}${source}`)}. One file; it loads nothing.</footer>
</main></body>
</html>
`.text;
}
