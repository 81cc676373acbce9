// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { compareInside, compareRuns, type Run } from '../../src/comparison/compare.js';
import { renderComparison } from '../../src/comparison/text.js';
import { emptyHistogram } from '../../src/results/histogram.js';
import { percentilesOf } from '../../src/results/latency.js';
import { parseResult } from '../../src/results/migrate.js';
import type { PathResult, Result } from '../../src/results/schema.js';
import { seededRandom } from '../../src/statistics/random.js';
import { encodeHistogram } from '../../src/support/hdr/histogram.js';

/** A real run of the lab. */
let run: Run;
beforeAll(() => {
  const file = join(import.meta.dirname, '..', 'results', 'fixtures', 'run-v1.json');
  run = { source: 'A', result: parseResult(JSON.parse(readFileSync(file, 'utf8')), file) };
});
const changed = (change: Partial<Result>): Run => ({ source: 'B', result: { ...run.result, ...change } });
const inside = (first: string, second: string) => compareInside(run, [first, second]).pairs[0];

describe('comparison inside a run', () => {
  test('finds the VM call faster than injected interrupts, with size and interval', () => {
    const pair = inside('injected', 'vmcall');
    const [median, p99, maximum] = pair?.differences ?? [];
    expect(median).toMatchObject({ first_ns: 62_879, second_ns: 46_559, verdict: 'faster' });
    expect(median?.interval_ns[1]).toBeLessThan(-16_000);
    expect(p99?.verdict).toBe('faster');
    expect(maximum?.verdict).toBe('not-judged');
    expect(pair?.verdict).toMatch(
      /^vmcall is faster than injected: its median is lower by 16\.32 µs \(95 % interval/,
    );
    expect(pair?.rank_test).toMatchObject({ p: null, why_not: expect.stringContaining('10 rounds') });
    expect(pair?.rank_test.second_slower).toBeLessThan(0.05);
    expect(pair?.beside.exits_per_packet).toEqual([1.008, 1.002]);
  });

  test('says that packets were taken as independent, and what the clock means', () => {
    const caveats = inside('injected', 'vmcall')?.caveats.join('\n');
    expect(caveats).toContain('take packets as independent');
    expect(caveats).toContain('Instruction clock');
  });

  test('shows no difference between a path and itself', () => {
    const pair = inside('vmcall', 'vmcall');
    expect(pair?.differences.map(({ verdict }) => verdict)).toEqual([
      'no-difference-shown',
      'no-difference-shown',
      'not-judged',
    ]);
    expect(pair?.rank_test.second_slower).toBe(0.5);
  });

  test('takes nothing for a difference on the instruction clock that rounds of one path differ by', () => {
    const [median] = inside('injected', 'vmcall')?.differences ?? [];
    const apart = run.result.paths.map((path): PathResult => {
      const [first, ...others] = path.rounds;
      if (path.name !== 'vmcall' || !first) return path;
      return {
        ...path,
        rounds: [
          { ...first, latency_ns: { ...first.latency_ns, p50: first.latency_ns.p50 + 20_000 } },
          ...others,
        ],
      };
    });
    const [wide] =
      compareInside(changed({ paths: apart }), ['injected', 'vmcall']).pairs[0]?.differences ?? [];
    expect(median?.verdict).toBe('faster');
    expect(wide?.verdict).toBe('no-difference-shown');
    expect(wide?.tolerance_ns).toBeGreaterThanOrEqual(20_000);
  });

  test('draws pairs of rounds where a run has enough of them', () => {
    const random = seededRandom(5);
    const path = (name: string, floor: number): PathResult => {
      const [template] = run.result.paths;
      if (!template) throw new Error('the fixture has no path');
      const all = emptyHistogram();
      const rounds = Array.from({ length: 12 }, (_, index) => {
        const histogram = emptyHistogram();
        for (let packet = 0; packet < 100; packet++)
          histogram.recordValue(floor + index * 100 + random.index(2000));
        all.add(histogram);
        const exact = { min: floor, max: floor + 4000 };
        const latency_ns = { ...percentilesOf(histogram, exact), avg: floor + 1000 };
        return { index, sent: 100, received: 100, latency_ns, latency_histogram: encodeHistogram(histogram) };
      });
      const latency_ns = { ...percentilesOf(all, { min: floor, max: floor + 4000 }), avg: floor + 1000 };
      return {
        ...template,
        name,
        rounds,
        received: 1200,
        latency_ns,
        latency_histogram: encodeHistogram(all),
      };
    };
    const paths = [path('injected', 60_000), path('vmcall', 59_000)];
    const [pair] = compareInside(changed({ paths }), ['injected', 'vmcall']).pairs;
    expect(pair).toMatchObject({ unit: 'round-pairs', first: { rounds: 12 } });
    expect(pair?.differences[0]?.verdict).toBe('faster');
    expect(pair?.caveats.join()).toContain('pairs of rounds');
  });

  test('names the paths there are where one is not there', () => {
    expect(() => inside('injected', 'vmcal')).toThrow(
      expect.objectContaining({ code: 'COMPARE_NO_PATH', cure: expect.stringContaining('vmcall') }),
    );
  });

  test('of a path that nothing came back on ends in words', () => {
    const empty = encodeHistogram(emptyHistogram());
    const paths = run.result.paths.map((path) => ({ ...path, received: 0, latency_histogram: empty }));
    expect(() => compareInside(changed({ paths }), ['injected', 'vmcall'])).toThrow(
      expect.objectContaining({ code: 'COMPARE_NOTHING_RECEIVED' }),
    );
  });
});

describe('comparison of two runs', () => {
  const plain = { paths: undefined, force: false };

  test('compares every path they share, and says that they were not interleaved', () => {
    const { pairs, notes } = compareRuns(run, changed({}), plain);
    expect(pairs.map(({ first }) => first.path)).toEqual([
      ...run.result.paths.map(({ name }) => name),
      'l3fwd-power',
    ]);
    expect(
      pairs.every(({ differences }) => differences.every(({ difference_ns }) => difference_ns === 0)),
    ).toBe(true);
    expect(pairs[0]?.caveats.join()).toContain('not interleaved');
    expect(notes.join()).toContain('one in 20');
  });

  test.each([
    ['clock', { clock: 'bare-metal' as const }],
    ['traffic pattern', { traffic: 'poisson' }],
    ['host kernel', { platform: 'Linux 6.1' }],
  ])('refuses runs of unlike %s, says why, and yields to force', (what, change) => {
    const { traffic, platform } = run.result;
    const other = changed({
      ...('clock' in change ? { clock: change.clock } : {}),
      ...('traffic' in change ? { traffic: { ...traffic, pattern: change.traffic } } : {}),
      ...('platform' in change ? { platform: { ...platform, hostKernel: change.platform } } : {}),
    });
    expect(() => compareRuns(run, other, plain)).toThrow(
      expect.objectContaining({ code: 'COMPARE_UNLIKE', message: expect.stringContaining(`${what}: `) }),
    );
    const forced = compareRuns(run, other, { ...plain, force: true });
    expect(forced.unlike.map((entry) => entry.what)).toEqual([what]);
    expect(renderComparison(forced)).toContain(`UNLIKE in ${what}`);
  });

  test('says which builds differ, which may be what is compared', () => {
    const platform = { ...run.result.platform, 'module.kvm.srcversion': 'other' };
    expect(compareRuns(run, changed({ platform }), plain).notes.join()).toContain('module.kvm.srcversion');
  });

  test('compares a path of one with another path of the other', () => {
    const { pairs } = compareRuns(run, changed({}), { paths: ['poll', 'vmcall'], force: false });
    expect(pairs).toHaveLength(1);
    expect(pairs[0]?.differences[0]?.verdict).toBe('slower');
  });
});
