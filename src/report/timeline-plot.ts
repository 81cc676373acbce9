// SPDX-License-Identifier: Apache-2.0
import { scaleLinear } from 'd3-scale';
import { line } from 'd3-shape';
import type { Timeline } from '../results/schema.js';
import { html, type Markup } from './html.js';
import { axisNumber, figure, labelWidth, latencyScale, roundToTenth, type Size, spread } from './plot.js';
import { colourOf, shortTitle } from './series.js';

type Point = Timeline['points'][number];

/** Points apart where other paths had their turn: no line joins what was not measured. */
function bursts(points: readonly Point[]): Point[][] {
  const found: Point[][] = [];
  let before: Point | undefined;
  for (const point of points) {
    const apart = !before || point.at_s - (before.at_s + before.length_s) > before.length_s;
    if (apart) found.push([]);
    found.at(-1)?.push(point);
    before = point;
  }
  return found;
}

function draw({ points, marks }: Timeline, { width, height }: Size): Markup {
  const paths = [...new Set(points.map(({ path }) => path))];
  const titles = paths.map(shortTitle);
  const labels = Math.max(...titles.map(labelWidth));
  const [left, right, top, bottom] = [52, width - labels - 22, marks.length > 0 ? 34 : 16, height - 44];
  const end = Math.max(
    0.001,
    ...points.map(({ at_s, length_s }) => at_s + length_s),
    ...marks.map(({ at_s }) => at_s),
  );
  const x = scaleLinear().domain([0, end]).range([left, right]);
  const y = latencyScale(
    points.flatMap(({ latency_ns }) => [latency_ns.p50 / 1000, latency_ns.p99 / 1000]),
    [bottom, top],
    6,
  );
  const middle = ({ at_s, length_s }: Point) => roundToTenth(x(at_s + length_s / 2));
  const of = (path: string) => points.filter((point) => point.path === path);
  const stroke = (path: string, key: 'p50' | 'p99') =>
    bursts(of(path))
      .map(
        (burst) =>
          line<Point>(middle, ({ latency_ns }) => roundToTenth(y(latency_ns[key] / 1000)))(burst) ?? '',
      )
      .join('');
  const lasts = paths.map((path) => y((of(path).at(-1)?.latency_ns.p50 ?? 0) / 1000));
  const places = spread(lasts, 16, [top, bottom]);
  return html`
    ${y.ticks.map((tick) => html`<path d="M${left} ${roundToTenth(y(tick))}H${right}" stroke="var(--rule)"/><text x="${left - 8}" y="${roundToTenth(y(tick)) + 4}" text-anchor="end">${axisNumber(tick)}</text>`)}
    ${x.ticks(width > 500 ? 8 : 4).map((tick) => html`<path d="M${roundToTenth(x(tick))} ${bottom}v5" stroke="var(--soft)"/><text x="${roundToTenth(x(tick))}" y="${bottom + 19}" text-anchor="middle">${axisNumber(tick)}</text>`)}
    <text x="${(left + right) / 2}" y="${height - 4}" text-anchor="middle">seconds of traffic</text>
    <text x="${left - 8}" y="${top - 14}" text-anchor="end">µs</text>
    ${marks.map((mark, index) => html`<path d="M${roundToTenth(x(mark.at_s))} ${top - 6}V${bottom}" stroke="var(--ink)" stroke-width="1" stroke-dasharray="${mark.kind === 'switch' ? 'none' : '3 3'}" opacity="0.5"><title>${mark.text}, at ${mark.at_s.toFixed(2)} s</title></path><text x="${roundToTenth(x(mark.at_s))}" y="${top - 12}" text-anchor="middle" class="name" style="fill:var(--ink)">${index + 1}</text>`)}
    ${paths.map((path, index) => {
      const colour = colourOf(path, index);
      return html`
        <path d="${stroke(path, 'p99')}" fill="none" stroke="${colour}" stroke-width="1.25" stroke-dasharray="2 3"/>
        <path d="${stroke(path, 'p50')}" fill="none" stroke="${colour}" stroke-width="2"/>
        ${of(path).map((point) => html`<circle cx="${middle(point)}" cy="${roundToTenth(y(point.latency_ns.p50 / 1000))}" r="${of(path).length > 200 ? 0 : 2}" fill="${colour}"><title>${shortTitle(path)} at ${point.at_s.toFixed(2)} s: median ${(point.latency_ns.p50 / 1000).toFixed(2)}, p99 ${(point.latency_ns.p99 / 1000).toFixed(2)}, maximum ${(point.latency_ns.max / 1000).toFixed(2)} µs</title></circle>`)}
        <text class="name" x="${right + 12}" y="${roundToTenth(places[index] ?? top) + 4}" style="fill:${colour}">${titles[index]}</text>`;
    })}`;
}

/** Latency over the run: medians solid, p99 dotted; numbered lines where something was switched or tuned. */
export function timelinePlot(timeline: Timeline): Markup {
  const words = timeline.marks.map(
    ({ at_s, kind, text }) =>
      html`<li>${at_s.toFixed(2)} s: ${text} <span class="soft">(${kind === 'switch' ? 'path switched' : 'tuning'})</span></li>`,
  );
  return html`${figure('Latency over time', (size) => draw(timeline, size))}${words.length > 0 && html`<ol>${words}</ol>`}`;
}
