// SPDX-License-Identifier: Apache-2.0

import { scaleLinear } from 'd3-scale';
import { area } from 'd3-shape';
import { quantileBin } from '../statistics/distribution.js';
import { html, type Markup } from './html.js';
import { axisNumber, figure, labelWidth, latencyScale, roundToTenth, type Size } from './plot.js';
import type { Series } from './series.js';

/** Columns across the plot. */
const columns = 64;

/** The range drawn, us: from the fastest to the slowest path's p99.9, so that a few slow packets leave it readable. */
function rangeOf(series: readonly Series[]): [number, number] {
  const us = ({ distribution }: Series, share: number) =>
    (quantileBin(distribution, share)?.value ?? 0) / 1000;
  const low = Math.min(...series.map((entry) => us(entry, 0)));
  return [low, Math.max(low * 1.05, ...series.map((entry) => us(entry, 0.999)))];
}

/** The share of a path's packets in each column of the plot. */
function sharesIn({ distribution: { bins, total } }: Series, column: (us: number) => number): number[] {
  const shares = new Array<number>(columns).fill(0);
  for (const { value, count } of bins) {
    const index = column(value / 1000);
    if (index >= 0 && index < columns) shares[index] = (shares[index] ?? 0) + count / total;
  }
  return shares;
}

/** Packets slower than the range drawn, by path, in words; empty where there are none. */
export function beyondHistogram(series: readonly Series[]): string {
  const [, high] = rangeOf(series);
  const parts = series.flatMap(({ label, distribution }) => {
    const count = distribution.bins.reduce((sum, bin) => sum + (bin.value / 1000 > high ? bin.count : 0), 0);
    return count > 0 ? [`${label} ${count}`] : [];
  });
  return parts.length > 0 ? `Slower than the axis reaches: ${parts.join(', ')} packets.` : '';
}

/** Rows for labels above the plot, each label above its curve's peak as far as there is room. */
function placeLabels(peaks: readonly { x: number; label: string }[], [low, high]: readonly [number, number]) {
  const ends: number[] = [];
  return peaks.map(({ x, label }) => {
    const width = labelWidth(label);
    const start = Math.min(Math.max(x - width / 2, low), high - width);
    let row = ends.findIndex((end) => end + 8 <= start);
    if (row < 0) row = ends.length;
    ends[row] = start + width;
    return { start, row };
  });
}

function draw(series: readonly Series[], { width, height }: Size): Markup {
  const [left, right, bottom] = [46, width - 10, height - 44];
  const x = latencyScale(rangeOf(series), [left, right], width > 500 ? 8 : 4);
  const column = (us: number) =>
    Math.min(columns - 1, Math.floor(((x(us) - left) / (right - left)) * columns));
  const step = (right - left) / columns;
  const drawn = series
    .map((entry) => ({ entry, shares: sharesIn(entry, (us) => (x(us) > right ? -1 : column(us))) }))
    .map((known) => ({ ...known, peak: known.shares.indexOf(Math.max(...known.shares)) }))
    .sort((a, b) => a.peak - b.peak);
  const places = placeLabels(
    drawn.map(({ entry, peak }) => ({ x: left + (peak + 0.5) * step, label: entry.label })),
    [left, right],
  );
  const rows = Math.max(...places.map(({ row }) => row)) + 1;
  const top = 24 + rows * 17;
  const most = Math.max(...drawn.flatMap(({ shares }) => shares));
  const y = scaleLinear()
    .domain([0, most * 1.04])
    .range([bottom, top]);
  const shape = area<number>()
    .x((index) => roundToTenth(left + index * step))
    .y0(bottom);
  const outline = (shares: readonly number[]) =>
    shape.y1((index) => roundToTenth(y(shares[Math.floor(index)] ?? 0)))(
      shares.flatMap((_, index) => [index, index + 0.9999]),
    ) ?? '';
  return html`
    ${y.ticks(4).map((tick) => html`<path d="M${left} ${roundToTenth(y(tick))}H${right}" stroke="var(--rule)"/><text x="${left - 8}" y="${roundToTenth(y(tick)) + 4}" text-anchor="end">${Number((tick * 100).toFixed(3))} %</text>`)}
    ${x.ticks.map((tick) => html`<path d="M${roundToTenth(x(tick))} ${bottom}v5" stroke="var(--soft)"/><text x="${roundToTenth(x(tick))}" y="${bottom + 19}" text-anchor="middle">${axisNumber(tick)}</text>`)}
    <text x="${(left + right) / 2}" y="${height - 4}" text-anchor="middle">µs; up: share of the path's packets in a column</text>
    ${drawn.map(({ entry, shares }) => html`<path d="${outline(shares)}" fill="${entry.colour}" fill-opacity="0.16" stroke="${entry.colour}" stroke-width="${entry.width - 0.5}" stroke-dasharray="${entry.dash}" stroke-linejoin="round"><title>${entry.label}</title></path>`)}
    ${drawn.map(({ entry, shares, peak }, index) => {
      const place = places[index] ?? { start: left, row: 0 };
      const baseline = 12 + place.row * 17;
      const peakX = roundToTenth(left + (peak + 0.5) * step);
      return html`
        <path d="M${peakX} ${baseline + 5}V${roundToTenth(y(shares[peak] ?? 0)) - 3}" stroke="${entry.colour}" stroke-width="1" opacity="0.55"/>
        <text class="name" x="${roundToTenth(place.start)}" y="${baseline}" style="fill:${entry.colour}">${entry.label}</text>`;
    })}`;
}

/** All paths' histograms over one another. */
export function histogramPlot(series: readonly Series[], quantity: string): Markup {
  return figure(`Histograms of ${quantity}, one over the other`, (size) => draw(series, size));
}
