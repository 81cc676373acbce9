// SPDX-License-Identifier: Apache-2.0
import { scaleLog } from 'd3-scale';
import { line } from 'd3-shape';
import { quantileBin } from '../statistics/distribution.js';
import { html, type Markup } from './html.js';
import { axisNumber, figure, labelWidth, latencyScale, roundToTenth, type Size, spread } from './plot.js';
import type { Series } from './series.js';

const marked = [0.5, 0.9, 0.99, 0.999] as const;
const percent = (share: number) => `${Number((share * 100).toFixed(6))} %`;

/** Corners of the line: at each value, from the share below it to the share at or below it, as 1 / (1 - p). */
function corners({ distribution: { bins, total } }: Series): [odds: number, us: number][] {
  let below = 0;
  return bins.flatMap(({ value, count }) => {
    const from = total / (total - below);
    below += count;
    // The slowest sample has no end: it is drawn to where half of it would be.
    const to = below >= total ? 2 * total : total / (total - below);
    return [
      [from, value / 1000],
      [to, value / 1000],
    ] as [number, number][];
  });
}

function draw(series: readonly Series[], { width, height }: Size): Markup {
  // Names stand at the lines' ends where there is room beside the plot, else on the lines near the median.
  const beside = width > 500;
  const margin = beside ? Math.max(...series.map(({ label }) => labelWidth(label))) + 22 : 8;
  const [left, right, top, bottom] = [46, width - margin, 20, height - 44];
  const most = Math.max(...series.map(({ distribution }) => distribution.total));
  const x = scaleLog()
    .domain([1, 2 * most])
    .range([left, right]);
  const values = series.flatMap((entry) => corners(entry).map(([, us]) => us));
  const y = latencyScale(values, [bottom, top], 6);
  const path = line<[number, number]>(
    ([odds]) => roundToTenth(x(odds)),
    ([, us]) => roundToTenth(y(us)),
  );
  const powers = Array.from(
    { length: Math.floor(Math.log10(2 * most)) },
    (_, index) => 1 - 10 ** -(index + 1),
  );
  const shares = [0, 0.5, ...powers].filter((share) => share !== 0.5 || beside);
  const ends = series.map((entry) => {
    const last = corners(entry).at(-1) ?? [1, 0];
    const middle = (quantileBin(entry.distribution, 0.6)?.value ?? 0) / 1000;
    return beside ? { x: x(last[0]), y: y(last[1]) } : { x: x(1.7), y: y(middle) - 10 };
  });
  const places = spread(
    ends.map((end) => end.y),
    16,
    [top, bottom],
  );
  return html`
    ${y.ticks.map((tick) => html`<path d="M${left} ${roundToTenth(y(tick))}H${right}" stroke="var(--rule)"/><text x="${left - 8}" y="${roundToTenth(y(tick)) + 4}" text-anchor="end">${axisNumber(tick)}</text>`)}
    ${shares.map((share) => html`<path d="M${roundToTenth(x(1 / (1 - share)))} ${bottom}v5" stroke="var(--soft)"/><text x="${roundToTenth(x(1 / (1 - share)))}" y="${bottom + 19}" text-anchor="middle">${percent(share)}</text>`)}
    <text x="${(left + right) / 2}" y="${height - 4}" text-anchor="middle">share of packets at or below (log of 1 − p)</text>
    <text x="${left - 8}" y="${top - 14}" text-anchor="end">µs</text>
    ${series.map(
      (entry) => html`
        <path d="${path(corners(entry))}" fill="none" stroke="${entry.colour}" stroke-width="${entry.width}" stroke-dasharray="${entry.dash}" stroke-linejoin="round"/>
        ${marked.map((share) => {
          const value = (quantileBin(entry.distribution, share)?.value ?? 0) / 1000;
          return html`<circle cx="${roundToTenth(x(1 / (1 - share)))}" cy="${roundToTenth(y(value))}" r="7" fill="transparent"><title>${entry.label}: ${percent(share)} at or below ${value.toFixed(2)} µs</title></circle>`;
        })}`,
    )}
    ${series.map((entry, index) => {
      const end = ends[index] ?? { x: right, y: top };
      const place = places[index] ?? end.y;
      return html`
        ${beside && html`<path d="M${roundToTenth(end.x) + 2} ${roundToTenth(end.y)}L${right + 10} ${roundToTenth(place)}" stroke="${entry.colour}" stroke-width="1" opacity="0.6" fill="none"/>`}
        <text class="name" x="${beside ? right + 13 : roundToTenth(end.x)}" y="${roundToTenth(place) + 4}" style="fill:${entry.colour}">${entry.label}</text>`;
    })}`;
}

/** Latency against the share of packets at or below it, the axis stretched towards the slowest. */
export function percentilePlot(series: readonly Series[], quantity: string): Markup {
  return figure(`${quantity} by percentile, a line for each path`, (size) => draw(series, size));
}
