// SPDX-License-Identifier: Apache-2.0
import { scaleLinear, scaleLog } from 'd3-scale';
import { html, type Markup } from './html.js';

/** A plot is drawn twice, at its true size for a desk and for a phone, so that its text is readable on both. */
export const sizes = {
  wide: { width: 960, height: 400 },
  narrow: { width: 350, height: 320 },
} as const;
export type Size = (typeof sizes)[keyof typeof sizes];

/** Both drawings of a plot; a style sheet shows one. `label` is for those who do not see it. */
export function figure(label: string, draw: (size: Size) => Markup): Markup {
  const drawing = (name: keyof typeof sizes) => {
    const { width, height } = sizes[name];
    return html`<svg class="${name}" viewBox="0 0 ${width} ${height}" role="img" aria-label="${label}">${draw(sizes[name])}</svg>`;
  };
  return html`<figure>${drawing('wide')}${drawing('narrow')}</figure>`;
}

export interface ValueScale {
  (value: number): number;
  ticks: number[];
}

/** A scale of latencies in us that holds all of `values`: logarithmic where they span more than a factor of 12. */
export function latencyScale(values: readonly number[], range: [number, number], ticks: number): ValueScale {
  const low = Math.max(0.001, Math.min(...values));
  const high = Math.max(low * 1.01, ...values);
  if (high / low <= 12) {
    const linear = scaleLinear().domain([low, high]).range(range).nice(ticks);
    return Object.assign((value: number) => linear(value), { ticks: linear.ticks(ticks) });
  }
  const logarithmic = scaleLog().domain([low, high]).range(range).nice();
  // A tick of each power of ten, and its 2 and 5 where few powers are on the axis.
  const powers = Math.log10(high / low);
  const shown = logarithmic.ticks().filter((tick) => {
    const leading = Math.round(tick / 10 ** Math.floor(Math.log10(tick) + 1e-9));
    return leading === 1 || (powers < 3.5 && (leading === 2 || leading === 5));
  });
  return Object.assign((value: number) => logarithmic(value), { ticks: shown });
}

/** A number for an axis: no trailing zeros, thin spaces between thousands. */
export const axisNumber = (value: number) =>
  Number(value.toPrecision(6)).toLocaleString('en', { maximumFractionDigits: 3 }).replaceAll(',', ' ');

export const roundToTenth = (value: number) => Math.round(value * 10) / 10;

/** Moves labels apart that would overlap, each as little as that takes. `at` in any order; the same order back. */
export function spread(at: readonly number[], gap: number, [low, high]: readonly [number, number]): number[] {
  const order = at.map((value, index) => ({ value, index })).sort((a, b) => a.value - b.value);
  let last = low - gap;
  for (const entry of order) {
    entry.value = Math.max(entry.value, last + gap);
    last = entry.value;
  }
  let next = high + gap;
  for (const entry of order.reverse()) {
    entry.value = Math.min(entry.value, next - gap);
    next = entry.value;
  }
  const result = [...at];
  for (const { value, index } of order) result[index] = value;
  return result;
}

/** How wide a label is, about, px: enough to keep labels apart. */
export const labelWidth = (text: string) => text.length * 6.9 + 4;
