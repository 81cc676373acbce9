// SPDX-License-Identifier: Apache-2.0
import { Markup } from './html.js';

/**
 * Colours after Okabe and Ito's palette (Color Universal Design, 2008), darkened or lightened to stand out as a thin
 * line from the ground they are drawn on. Lines differ in dash too, and carry their name.
 */
export const style = new Markup(`
:root {
  color-scheme: light dark;
  --ground: #ffffff; --raised: #f5f7f9; --rule: #dfe3e8; --ink: #15191e; --soft: #59636e;
  --vmcall: #0067a8; --pv-kick: #3d3f94; --injected: #c8500a; --injected-hard-isr: #9a6a00; --native-interrupt: #00785a;
  --poll: #6a737d; --other: #9a4585; --other-2: #8a5a44; --good: #00785a; --bad: #b3261e;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #12161b; --raised: #1b2128; --rule: #323a44; --ink: #e9edf1; --soft: #a3adb8;
    --vmcall: #5cb8f2; --pv-kick: #a5a8f0; --injected: #ff8f4d; --injected-hard-isr: #e8b93a; --native-interrupt: #37c99c;
    --poll: #98a2ad; --other: #dc96c5; --other-2: #c9a28e; --good: #37c99c; --bad: #ff8a80;
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body {
  margin: 0; background: var(--ground); color: var(--ink);
  font: 16px/1.55 Inter, system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "Liberation Sans", Arial, sans-serif;
  font-variant-numeric: tabular-nums;
}
main { max-width: 1040px; margin: 0 auto; padding: 48px 40px 72px; }
h1 { font-size: 34px; line-height: 1.2; letter-spacing: -0.02em; margin: 6px 0 14px; max-width: 24em; text-wrap: balance; font-weight: 650; }
h2 { font-size: 21px; line-height: 1.3; letter-spacing: -0.01em; margin: 0 0 6px; font-weight: 650; }
h3 { font-size: 16px; margin: 28px 0 4px; font-weight: 650; }
p { margin: 0 0 12px; max-width: 46em; }
section { margin-top: 56px; }
.over { color: var(--soft); font-size: 14px; margin: 0; }
.lead { font-size: 18px; }
.next { margin-top: 44px; }
.soft, .note { color: var(--soft); }
.note { font-size: 14px; }
.partial { border-left: 3px solid var(--bad); padding: 2px 0 2px 14px; color: var(--bad); margin: 14px 0 0; max-width: 56em; }
.clock { border-left: 3px solid var(--rule); padding: 2px 0 2px 14px; color: var(--soft); font-size: 14.5px; margin: 16px 0 0; max-width: 56em; }
.tiles { display: grid; grid-template-columns: repeat(4, 1fr); gap: 1px; margin: 26px 0 0; padding: 0; background: var(--rule); border: 1px solid var(--rule); border-radius: 10px; overflow: hidden; }
.tile { background: var(--ground); padding: 16px 18px 14px; }
.tile dt { font-size: 13.5px; color: var(--soft); }
.tile dd { margin: 2px 0 0; }
.tile .big { font-size: 29px; line-height: 1.25; font-weight: 650; letter-spacing: -0.02em; color: var(--vmcall); white-space: nowrap; }
.tile .big small { font-size: 15px; font-weight: 500; letter-spacing: 0; }
.tile .against { font-size: 13.5px; color: var(--soft); }
table { border-collapse: collapse; width: 100%; font-size: 15px; }
th, td { padding: 9px 0 9px 20px; text-align: right; vertical-align: baseline; border-bottom: 1px solid var(--rule); }
th:first-child, td:first-child { text-align: left; padding-left: 0; }
thead th { color: var(--soft); font-weight: 500; font-size: 13.5px; }
tbody th { font-weight: 550; }
tbody th small { display: block; font-weight: 400; color: var(--soft); font-size: 13px; }
tr.main td, tr.main th { background: var(--raised); }
tr.main th:first-child { box-shadow: inset 3px 0 var(--vmcall); padding-left: 12px; }
td.interval { white-space: nowrap; }
td.deck { color: var(--soft); white-space: nowrap; }
td.deck small { display: block; font-size: 12.5px; }
.words th:last-child, .words td:last-child { text-align: left; }
.words .rank { color: var(--soft); font-size: 14px; }
.scroll { overflow-x: auto; margin-top: 18px; }
.key { display: inline-block; width: 10px; height: 10px; border-radius: 2px; margin-right: 6px; }
figure { margin: 18px 0 0; }
svg { display: block; width: 100%; height: auto; overflow: visible; }
svg text { font: 12px Inter, system-ui, -apple-system, "Segoe UI", Roboto, "Liberation Sans", Arial, sans-serif; fill: var(--soft); font-variant-numeric: tabular-nums; }
svg .name { font-weight: 600; paint-order: stroke; stroke: var(--ground); stroke-width: 4px; stroke-linejoin: round; }
.narrow { display: none; }
.bars { display: grid; grid-template-columns: minmax(130px, 210px) 1fr; gap: 14px 20px; margin-top: 18px; align-items: start; }
.bars .label { font-weight: 550; font-size: 15px; line-height: 1.35; }
.bars .label small { display: block; font-weight: 400; color: var(--soft); font-size: 13px; }
.bar { display: flex; gap: 1px; height: 20px; background: var(--raised); border-radius: 3px; overflow: hidden; print-color-adjust: exact; -webkit-print-color-adjust: exact; }
.bar i { display: block; }
.bar-text { font-size: 13.5px; color: var(--soft); margin-top: 4px; }
.bar-text span { white-space: nowrap; margin-right: 14px; }
.beside { display: grid; grid-template-columns: 1fr 58px; gap: 12px; align-items: center; }
.beside .bar-text { margin: 0; color: var(--ink); text-align: right; white-space: nowrap; }
table.words th, table.words td { border: 0; padding-top: 4px; padding-bottom: 4px; }
table.words thead th { padding-bottom: 8px; }
table.words tr.group > * { border-top: 1px solid var(--rule); padding-top: 12px; }
table.words tr.last > * { padding-bottom: 12px; }
ul { padding-left: 20px; margin: 12px 0 0; max-width: 52em; }
li { margin: 4px 0; }
ul.targets { list-style: none; padding: 0; max-width: none; display: grid; grid-template-columns: 1fr 1fr; gap: 0 40px; margin-top: 14px; font-size: 15px; }
ul.targets li { display: grid; grid-template-columns: 1fr auto; column-gap: 16px; padding: 7px 0; border-bottom: 1px solid var(--rule); margin: 0; }
.reached { color: var(--good); } .missed { color: var(--bad); font-weight: 600; }
dl.facts { display: grid; grid-template-columns: minmax(140px, 220px) 1fr; gap: 6px 20px; font-size: 14px; margin: 16px 0 0; }
dl.facts dt { color: var(--soft); overflow-wrap: anywhere; }
dl.facts dd { margin: 0; overflow-wrap: anywhere; }
code, pre { font: 13.5px/1.5 ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; }
pre { background: var(--raised); border-radius: 8px; padding: 14px 16px; white-space: pre-wrap; overflow-wrap: anywhere; margin: 12px 0 0; }
footer { margin-top: 64px; color: var(--soft); font-size: 13.5px; }
@media screen and (max-width: 700px) {
  body { font-size: 15.5px; }
  main { padding: 26px 20px 48px; }
  h1 { font-size: 26px; }
  .lead { font-size: 16.5px; }
  section { margin-top: 44px; }
  .tiles { grid-template-columns: 1fr 1fr; }
  .tile { padding: 13px 14px 12px; }
  .tile .big { font-size: 25px; }
  .wide { display: none; }
  .narrow { display: block; }
  .bars { grid-template-columns: 1fr; gap: 3px; }
  .bars .label { margin-top: 12px; }
  .bars .label small { display: inline; margin-left: 6px; }
  ul.targets { grid-template-columns: 1fr; }
  dl.facts { grid-template-columns: 1fr; gap: 0; }
  dl.facts dd { margin-bottom: 8px; }
  table.stack thead { display: none; }
  table.stack tr { display: grid; grid-template-columns: repeat(3, 1fr); padding: 10px 0; border-bottom: 1px solid var(--rule); column-gap: 10px; }
  table.stack tr.main { background: var(--raised); padding-left: 10px; box-shadow: inset 3px 0 var(--vmcall); }
  table.stack tr.main th:first-child { padding-left: 0; box-shadow: none; }
  table.stack th, table.stack td { border: 0; padding: 2px 0; text-align: left; }
  table.stack tbody th { grid-column: 1 / -1; }
  table.stack td::before { content: attr(data-head); display: block; color: var(--soft); font-size: 12.5px; }
  table.stack td.full { grid-column: 1 / -1; }
  table.stack .empty { display: none; }
  table.stack.words tr { grid-template-columns: 5em 1fr auto; border-bottom: 0; padding: 3px 0; }
  table.stack.words tr.group { border-top: 1px solid var(--rule); padding-top: 12px; }
  table.stack.words tr.last { padding-bottom: 12px; }
  table.stack.words tr > * { border: 0; padding: 1px 0; }
  table.stack.words td::before { content: none; }
  table.stack.words td.difference { grid-area: 2 / 2; } table.stack.words td.difference::after { content: " µs"; }
  table.stack.words td.of { grid-area: 2 / 1; } table.stack.words td.verdict { grid-area: 2 / 3; text-align: right; }
  table.stack.words td.interval { grid-area: 3 / 2 / auto / span 2; } table.stack.words td.tolerance { grid-area: 4 / 2 / auto / span 2; }
  table.stack.words td.interval, table.stack.words td.tolerance { font-size: 13.5px; color: var(--soft); }
  table.stack.words td.interval::before, table.stack.words td.tolerance::before { content: attr(data-head) ": "; display: inline; font-size: inherit; }
  table.stack.words td.full { grid-area: 2 / 2 / auto / span 2; }
}
@media print {
  :root {
    color-scheme: light;
    --ground: #ffffff; --raised: #f5f7f9; --rule: #dfe3e8; --ink: #15191e; --soft: #59636e;
    --vmcall: #0067a8; --pv-kick: #3d3f94; --injected: #c8500a; --injected-hard-isr: #9a6a00; --native-interrupt: #00785a;
    --poll: #6a737d; --other: #9a4585; --other-2: #8a5a44; --good: #00785a; --bad: #b3261e;
  }
  body { font-size: 11.5pt; }
  main { max-width: none; padding: 0; }
  section { margin-top: 28px; break-inside: auto; }
  figure, tr, .tile, .bars > div, pre { break-inside: avoid; }
  h2, h3 { break-after: avoid; }
  .wide { display: block; } .narrow { display: none; }
  @page { margin: 16mm 14mm; }
}
`);
