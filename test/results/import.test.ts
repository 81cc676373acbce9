// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { build, HistogramLogWriter } from 'hdr-histogram-js';
import { describe, expect, test } from 'vitest';
import { toCsv } from '../../src/results/export/csv.js';
import { toHgrm } from '../../src/results/export/hgrm.js';
import { importResult } from '../../src/results/import/import.js';
import { parseResult } from '../../src/results/migrate.js';

const fixture = (name: string) => readFileSync(join(import.meta.dirname, 'fixtures', name), 'utf8');
const options = { source: 'file', clock: 'unknown' as const };

describe("cyclictest's results", () => {
  // Both fixtures are of one run of cyclictest 2.40 (-h 60), in its two formats.
  const json = importResult('cyclictest', fixture('cyclictest.json'), options);
  const text = importResult('cyclictest', fixture('cyclictest.txt'), options);

  test('keep count, extremes and average of --json, in ns', () => {
    const [first, second] = json.paths;
    expect(first).toMatchObject({ name: 'cyclictest-cpu0', received: 1500, exits_per_packet: null });
    expect(first?.rtt_ns).toMatchObject({ min: 9000, avg: 15_660, max: 106_000 });
    expect(second?.rtt_ns).toMatchObject({ min: 11_000, avg: 21_040, max: 133_000 });
    // 13 us is the histogram's own median: 386 of 1500 lie below it, 1025 at or below it.
    expect(first?.rtt_ns.p50).toBeGreaterThanOrEqual(13_000);
    expect(first?.rtt_ns.p50).toBeLessThan(13_010);
    expect(json).toMatchObject({ quantity: 'timer-wake-up', resolution_ns: 1000 });
    expect(json.platform).toMatchObject({ hostKernel: expect.stringContaining('6.12.0-rt') });
    expect(json.repeat).toMatch(/^cyclictest -t2/);
  });

  test('say how many latencies were above the histogram', () => {
    expect(json.notes).toEqual([expect.stringContaining('9 of 1500'), expect.stringContaining('6 of 1500')]);
  });

  test('are the same from the text of -h', () => {
    const figures = ({ received, rtt_ns: { avg, ...rtt } }: (typeof json.paths)[number]) => ({
      received,
      rtt,
    });
    expect(text.paths.map(figures)).toEqual(json.paths.map(figures));
  });

  test('without a histogram, or of another program, are refused in words', () => {
    const failed = expect.objectContaining({ code: 'IMPORT_FAILED' });
    for (const input of [
      fixture('cyclictest-without-histogram.json'),
      '{}',
      '[1]',
      '',
      'T: 0 Min: 5',
      '0001 1',
    ])
      expect(() => importResult('cyclictest', input, options)).toThrow(failed);
  });
});

describe('logs of HDR histograms', () => {
  test('as jHiccup writes them are read, with base time and start time', () => {
    // The first two intervals of HdrHistogram's own test log (jHiccup-with-basetime-2.0.7S.logV2.hlog).
    const log = [
      '#[Logged with jHiccup version 2.0.7-SNAPSHOT]',
      '#[StartTime: 1441812279.474 (seconds since epoch), Wed Sep 09 08:24:39 PDT 2015]',
      '#[BaseTime: 1441812123.123 (seconds since epoch), Wed Sep 09 08:24:39 PDT 2015]',
      '"StartTimestamp","Interval_Length","Interval_Max","Interval_Compressed_Histogram"',
      '0.127,1.007,2.769,HISTFAAAAEV42pNpmSzMwMCgyAABTBDKT4GBgdnNYMcCBvsPEBEJISEuATEZMQ4uASkhIR4nrxg9v2lMaxhvMekILGZkKmcCAEf2CsI=',
      '1.134,0.999,0.442,HISTFAAAAEJ42pNpmSzMwMAgxwABTBDKT4GBgdnNYMcCBvsPEBEWLj45FTExAT4pBSEBKa6UkAgBi1uM7xjfMMlwMDABAC0CCjM=',
      '',
    ].join('\n');
    const result = importResult('hdr-log', log, options);
    expect(result.made).toBe('2015-09-09T15:24:39.474Z');
    const [path] = result.paths;
    expect(path?.rounds).toHaveLength(2);
    // The log's maxima are in ms.
    expect(path?.rounds.map(({ rtt_ns }) => Math.round(rtt_ns.max / 1000))).toEqual([2769, 442]);
    expect(result.timeline?.points.map(({ at_s }) => Math.round(at_s * 1000))).toEqual([0, 1007]);
  });

  test('by tag and in us become paths in ns', () => {
    let log = '';
    const writer = new HistogramLogWriter((line) => {
      log += line;
    });
    for (const [tag, value] of [
      ['a', 100],
      ['b', 7],
    ] as const) {
      const histogram = build({ bitBucketSize: 64, numberOfSignificantValueDigits: 3, autoResize: true });
      histogram.recordValueWithCount(value, 5);
      histogram.tag = tag;
      writer.outputIntervalHistogram(histogram, 1, 2, 1);
    }
    const result = importResult('hdr-log', log, { ...options, unit: 'us', quantity: 'round-trip' });
    expect(result.paths.map(({ name, received, rtt_ns }) => [name, received, rtt_ns.max])).toEqual([
      ['a', 5, 100_000],
      ['b', 5, 7000],
    ]);
  });

  test('broken anywhere are refused, not cut short', () => {
    const failed = expect.objectContaining({ code: 'IMPORT_FAILED' });
    for (const log of ['', '#[StartTime: 1 (s)]\n', '1,2,3', 'hello', '1,2,3,===,4'])
      expect(() => importResult('hdr-log', log, options)).toThrow(failed);
    expect(() => importResult('hdr-log', '1.0,1.0,1.0,AAAAAAAAAAAAAAAA', options)).toThrow(
      expect.objectContaining({ code: 'HISTOGRAM_BROKEN' }),
    );
  });
});

describe('exports', () => {
  const result = parseResult(JSON.parse(fixture('run-v1.json')), 'run-v1.json');

  test('as CSV give every packet of every path, and end at the exact maximum', () => {
    const [head, ...rows] = toCsv(result.paths).trimEnd().split('\r\n');
    expect(head).toBe('path,latency_ns,count,share_at_or_below');
    for (const { name, received, rtt_ns } of result.paths) {
      const own = rows.map((row) => row.split(',')).filter(([path]) => path === name);
      expect(own.reduce((sum, [, , count]) => sum + Number(count), 0)).toBe(received);
      expect(own.at(-1)?.slice(1)).toEqual([String(rtt_ns.max), '1', '1.000000000']);
    }
  });

  test('as CSV hold no formula for a spreadsheet to run', () => {
    const [path] = result.paths;
    expect(path && toCsv([{ ...path, name: '=HYPERLINK("http://a")' }])).toContain(
      `"'=HYPERLINK(""http://a"")",`,
    );
  });

  test('as .hgrm give the percentiles in us, and the exact extremes', () => {
    const vmcall = result.paths.find(({ name }) => name === 'vmcall');
    const text = vmcall ? toHgrm(vmcall) : '';
    expect(text).toMatch(/46\.559 0\.500000000000 +\d+ +2\.00/);
    expect(text).toContain('Total count    =         1000');
    expect(text).toContain('#[Exact minimum = 40.774, exact maximum = 86.159]');
  });
});
