// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { html } from '../../src/report/html.js';
import { spread } from '../../src/report/plot.js';
import { renderReport } from '../../src/report/report.js';
import { parseResult } from '../../src/results/migrate.js';
import { hostileRun, realRun } from './runs.js';

describe('report', () => {
  test('says the outcome first, and gives the table of minimum, average and maximum', () => {
    const page = renderReport([realRun()]);
    expect(page).toContain('<h1>By VM call a packet is back 16.3 µs sooner than by injected interrupts</h1>');
    expect(page).toMatch(/VM call<small>in-VM, VM call<\/small>.*?40\.77.*?47\.89.*?86\.16.*?9 \/ 20 \/ 35/s);
    expect(page).toContain('Targets: 7 of 8 reached');
    expect(page).toContain('npm start -- --packets 1000');
  });

  test('is about the PV kick where a run has no VM call', () => {
    const run = realRun();
    const paths = run.result.paths.map((path) =>
      path.name === 'vmcall' ? { ...path, name: 'pv-kick' } : path,
    );
    const page = renderReport([{ ...run, result: { ...run.result, paths } }]);
    expect(page).toContain('<h1>By PV kick a packet is back 16.3 µs sooner than by injected interrupts</h1>');
  });

  test('says in words what the document lacks', () => {
    const page = renderReport([realRun()]);
    expect(page).toContain('no breakdown by stage');
    expect(page).toContain('no plot of latency over time');
  });

  test('shows the course in time, its marks, and the stages where the document has them', () => {
    const run = realRun();
    const [path, ...others] = run.result.paths;
    if (!path) throw new Error('the fixture has no path');
    const point = {
      path: path.name,
      length_s: 1,
      received: 10,
      latency_ns: { p50: 1000, p99: 2000, max: 3000 },
    };
    const page = renderReport([
      {
        ...run,
        result: {
          ...run.result,
          timeline: {
            points: [0, 1, 2].map((at_s) => ({ ...point, at_s })),
            marks: [{ at_s: 1, kind: 'switch', text: 'injected to vmcall' }],
          },
          paths: [{ ...path, stages: [{ name: 'NIC to host ISR', ns: path.latency_ns }] }, ...others],
        },
      },
    ]);
    expect(page).toContain('aria-label="Latency over time"');
    expect(page).toContain('injected to vmcall');
    expect(page).toContain('NIC to host ISR');
    expect(page).not.toContain('no breakdown by stage');
  });

  test('loads nothing and runs no script, whatever the document says', () => {
    const page = renderReport([hostileRun()]);
    expect(page).not.toMatch(/<(?:script|img|iframe|link|object|embed|a|image|use)\b|javascript:/i);
    expect(page).not.toMatch(/url\(|@import/);
    expect(page).toContain('&lt;script&gt;');
    expect(page).toContain("default-src 'none'");
  });

  test('of a run that received nothing is made all the same', () => {
    const run = realRun();
    const paths = run.result.paths.map((path) => ({ ...path, received: 0 }));
    expect(renderReport([{ ...run, result: { ...run.result, paths } }])).toContain('nothing to plot');
  });

  test('of several runs names each, and says why unlike ones are not compared', () => {
    const run = realRun();
    const page = renderReport([run, { source: 'other', result: { ...run.result, clock: 'bare-metal' } }]);
    expect(page).toContain('VM call · A');
    expect(page).toContain('VM call · B');
    expect(page).toContain('differ in clock');
  });

  test('of a run imported from another tool needs none of our paths', () => {
    const file = join(import.meta.dirname, '..', 'results', 'fixtures', 'run-v1.json');
    const result = parseResult(JSON.parse(readFileSync(file, 'utf8')), file);
    const [path] = result.paths;
    if (!path) throw new Error('the fixture has no path');
    const page = renderReport([
      {
        source: 'x',
        result: { ...result, paths: [{ ...path, name: 'cyclictest-cpu0' }], references: [], targets: [] },
      },
    ]);
    expect(page).toContain('There is nothing here to compare.');
  });
});

describe('markup', () => {
  test('escapes whatever is put into a template, but not templates', () => {
    const text = `<b a="1" c='2'>&`;
    expect(html`<p title="${text}">${html`<i>${text}</i>`}${null}${false}${[1, text]}</p>`.text).toBe(
      '<p title="&lt;b a=&quot;1&quot; c=&#39;2&#39;&gt;&amp;"><i>&lt;b a=&quot;1&quot; c=&#39;2&#39;&gt;&amp;</i>1&lt;b a=&quot;1&quot; c=&#39;2&#39;&gt;&amp;</p>',
    );
  });
});

describe('labels', () => {
  test('are moved apart in their order, inside the plot', () => {
    const places = spread([100, 5, 98, 99], 16, [10, 110]);
    const sorted = [...places].sort((a, b) => a - b);
    expect(sorted[0]).toBeGreaterThanOrEqual(10);
    expect(sorted.at(-1)).toBeLessThanOrEqual(110);
    for (let index = 1; index < sorted.length; index++)
      expect((sorted[index] ?? 0) - (sorted[index - 1] ?? 0)).toBeGreaterThanOrEqual(16);
    expect(places.indexOf(Math.min(...places))).toBe(1);
  });
});
