// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { compareRuns } from '../../../src/comparison/compare.js';
import { labEventSchema } from '../../../src/lab/events.js';
import { assembleResult } from '../../../src/lab/results/assemble.js';
import { renderReport } from '../../../src/report/report.js';
import { emptyHistogram } from '../../../src/results/histogram.js';
import { parseResult } from '../../../src/results/migrate.js';
import { renderResult } from '../../../src/results/table.js';
import { encodeHistogram } from '../../../src/support/hdr/histogram.js';
import { realRun } from '../../report/runs.js';

const partial = { why: 'ended by SIGINT', done: 0.25 };

const round = (path: string, ns: number) => {
  const histogram = emptyHistogram();
  histogram.recordValue(ns);
  const counts = { sent: 1, received: 1, lost: 0, duplicate: 0, late: 0, reordered: 0, warmup: 0, seed: 1 };
  return labEventSchema.parse({
    type: 'round',
    path,
    pass: 'latency',
    index: 0,
    generator: {
      ...counts,
      pattern: 'constant',
      histogram: encodeHistogram(histogram),
      rtt_ns: { min: ns, avg: ns, p50: ns, p90: ns, p99: ns, p999: ns, max: ns },
    },
  });
};

const { paths: _paths, references: _references, targets: _targets, ...described } = realRun().result;
const assemble = (...events: ReturnType<typeof round>[]) => assembleResult(events, { ...described, partial });

describe('a run that was ended before it was done', () => {
  test('keeps what was measured until then, and says so', () => {
    const result = assemble(round('native-interrupt', 50_000));
    expect(result.partial).toEqual(partial);
    expect(result.paths).toMatchObject([{ name: 'native-interrupt', received: 1 }]);
    expect(parseResult(JSON.parse(JSON.stringify(result)), 'it')).toEqual(result);
  });

  test('adds nothing to a floor that was not measured', () => {
    expect(assemble(round('native-interrupt', 50_000)).paths[0]?.added_ns).toBeNull();
    const [, native] = assemble(round('native-interrupt', 50_000), round('poll', 40_000)).paths;
    expect(native?.added_ns?.p50).toBe(10_000);
  });

  test('leaves out a path of which only its exits were counted', () => {
    const exits = { ...round('vmcall', 1), pass: 'accounting' };
    expect(assemble(labEventSchema.parse(exits)).paths).toEqual([]);
  });

  test('is called partial before any of its figures', () => {
    const result = assemble(round('native-interrupt', 50_000));
    expect(renderResult(result).split('\n')[0]).toBe(
      'PARTIAL: ended by SIGINT when 25 % of its steps were done. Below is what was measured until then.',
    );
    const page = renderReport([{ source: 'it', result }]);
    expect(page.indexOf('when 25 % of its steps were done')).toBeGreaterThan(0);
    expect(page.indexOf('when 25 % of its steps were done')).toBeLessThan(page.indexOf('<h1>'));
    const whole = { source: 'whole', result: realRun().result };
    const cut = { source: 'cut', result: { ...whole.result, partial } };
    expect(compareRuns(whole, cut, { paths: undefined, force: true }).notes.join()).toContain(
      'cut is partial: ended by SIGINT',
    );
  });

  test('is not what a whole run is', () => {
    const fixture = join(import.meta.dirname, '..', '..', 'results', 'fixtures', 'run-v1.json');
    const old = parseResult(JSON.parse(readFileSync(fixture, 'utf8')), 'old');
    for (const result of [realRun().result, old]) {
      expect(result.partial).toBeUndefined();
      expect(renderResult(result)).not.toContain('PARTIAL');
      expect(renderReport([{ source: 'it', result }])).not.toContain('of its steps were done');
    }
  });
});
