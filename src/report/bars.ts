// SPDX-License-Identifier: Apache-2.0
import { html, type Markup } from './html.js';

export interface Part {
  name: string;
  value: number;
  /** The value as it is written beside its name. */
  text: string;
  colour: string;
}

export interface Row {
  label: string;
  detail?: string;
  parts: readonly Part[];
  /** Instead of the parts' names. */
  text?: string;
}

/** Bars along one scale to `full`, each in its parts; the values stand in words under the bar. */
export function bars(rows: readonly Row[], full: number): Markup {
  const share = (value: number) => (full > 0 ? ((value / full) * 100).toFixed(2) : '0');
  return html`<div class="bars">${rows.map(
    ({ label, detail, parts, text }) => html`
      <div class="label">${label}${detail && html`<small>${detail}</small>`}</div>
      <div${text !== undefined && html` class="beside"`}>
        <div class="bar">${parts.map((part) => html`<i style="width:${share(part.value)}%;background:${part.colour}" title="${part.name}: ${part.text}"></i>`)}</div>
        <div class="bar-text">${
          text ??
          parts.map(
            (part) =>
              html`<span><i class="key" style="background:${part.colour}"></i>${part.name} ${part.text}</span> `,
          )
        }</div>
      </div>`,
  )}</div>`;
}

/** Exits that belong to a path have its colour. */
const fixed: Readonly<Record<string, string>> = { vmmcall: 'vmcall', vmcall: 'vmcall', hlt: 'injected' };
const palette = ['other', 'injected-hard-isr', 'native-interrupt', 'other-2', 'poll'];
/** Where no part belongs to a path. */
const longPalette = ['vmcall', 'injected', ...palette];

/** A colour for each name, the same in every row; names beyond the palette share the last. */
export function coloursFor(names: readonly string[]): (name: string) => string {
  const others = names.filter((name) => !Object.hasOwn(fixed, name));
  const colours = others.length === names.length ? longPalette : palette;
  const colour = (name: string) => colours[Math.min(others.indexOf(name), colours.length - 1)];
  return (name) => `var(--${Object.hasOwn(fixed, name) ? fixed[name] : colour(name)})`;
}
