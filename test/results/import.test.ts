// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { build, encodeIntoCompressedBase64, HistogramLogWriter } from 'hdr-histogram-js';
import { describe, expect, test } from 'vitest';
import { compareRuns } from '../../src/comparison/compare.js';
import { type ImportFormat, importResult } from '../../src/results/import/import.js';
import type { Result } from '../../src/results/schema.js';

const input = (name: string) => readFileSync(join(import.meta.dirname, 'imports', name), 'utf8');
const options = { source: 'FILE', clock: 'unknown' as const };
const imported = (format: ImportFormat, text: string) => importResult(format, text, options);
const named = ({ paths }: Result) => paths.map(({ name, received }) => [name, received]);

/** Refused in words that name the file. */
const failed = (why: RegExp) =>
  expect.objectContaining({
    code: 'IMPORT_FAILED',
    message: expect.stringMatching(new RegExp(`^FILE: .*${why.source}`, 's')),
    cure: expect.stringMatching(/\S/),
  });

describe("cyclictest's results", () => {
  // Both are of one run of cyclictest 2.40 (-h 60), in its two formats.
  const json = imported('cyclictest', input('cyclictest.json'));
  const text = imported('cyclictest', input('cyclictest.txt'));

  test('keep count, extremes and average of --json, in ns', () => {
    const [first, second] = json.paths;
    expect(first).toMatchObject({ name: 'cyclictest-cpu0', received: 1500, exits_per_packet: null });
    expect(first?.latency_ns).toMatchObject({ min: 9000, avg: 15_660, max: 106_000 });
    expect(second?.latency_ns).toMatchObject({ min: 11_000, avg: 21_040, max: 133_000 });
    // 13 us is the histogram's own median: 386 of 1500 lie below it, 1025 at or below it.
    expect(first?.latency_ns.p50).toBeGreaterThanOrEqual(13_000);
    expect(first?.latency_ns.p50).toBeLessThan(13_010);
    expect(json).toMatchObject({ quantity: 'timer-wake-up', resolution_ns: 1000 });
    expect(json.platform).toMatchObject({ hostKernel: expect.stringContaining('6.12.0-rt') });
    expect(json.repeat).toMatch(/^cyclictest -t2/);
  });

  test('say what was measured, and how many latencies were above the histogram', () => {
    expect(json.notes).toEqual([
      expect.stringContaining("not a device's wake"),
      expect.stringMatching(/cyclictest-cpu0 9 of 1500, cyclictest-cpu1 6 of 1500/),
    ]);
  });

  test('are the same from the text of -h', () => {
    const figures = ({ received, latency_ns: { avg, ...rtt } }: (typeof json.paths)[number]) => ({
      received,
      rtt,
    });
    expect(text.paths.map(figures)).toEqual(json.paths.map(figures));
  });

  test('of -H have a column for all threads, which is none of them', () => {
    const both = imported('cyclictest', input('cyclictest-histofall.txt'));
    expect(named(both)).toEqual([
      ['cyclictest-thread0', 100],
      ['cyclictest-thread1', 100],
    ]);
    expect(both.paths.map(({ latency_ns }) => latency_ns.max)).toEqual([5000, 7000]);
    // Recorded: thread 0 has all its 1796 latencies above, thread 1 all but 4 of 1975.
    const above = imported('cyclictest', input('cyclictest-histofall-above.txt'));
    expect(named(above)).toEqual([['cyclictest-thread1', 1975]]);
    expect(above.notes.join()).toMatch(
      /Left out, as all.*above the histogram: cyclictest-thread0 1796 of 1796/,
    );
  });

  test('of a thread with all latencies above the range leave it out and say so', () => {
    const result = imported('cyclictest', input('cyclictest-one-thread-all-above.json'));
    expect(named(result)).toEqual([['cyclictest-cpu1', 300]]);
    expect(result.notes.join()).toMatch(
      /all their latencies were above the histogram: cyclictest-cpu0 300 of 300/,
    );
  });

  test('of as many threads as a large host has are one document', () => {
    const result = imported('cyclictest', input('cyclictest-128-cpus-overflow.json'));
    expect(result.paths).toHaveLength(128);
    expect(result.notes.join()).toContain('cyclictest-cpu127 1 of 100');
  });

  test('of threads that are pinned nowhere, or to one CPU, are paths of their own', () => {
    const a = imported('cyclictest', input('cyclictest-unpinned-threads.json'));
    expect(named(a).map(([name]) => name)).toEqual(['cyclictest-thread0', 'cyclictest-thread1']);
    const shared = input('cyclictest-unpinned-threads.json').replaceAll('"cpu": -1', '"cpu": 3');
    expect(named(imported('cyclictest', shared)).map(([name]) => name)).toEqual([
      'cyclictest-cpu3-thread0',
      'cyclictest-cpu3-thread1',
    ]);
    const b = imported('cyclictest', input('cyclictest-unpinned-threads-worse.json'));
    const { pairs } = compareRuns(
      { source: 'A', result: a },
      { source: 'B', result: b },
      { paths: undefined, force: false },
    );
    expect(pairs.map(({ first, differences }) => [first.path, differences[0]?.difference_ns])).toEqual([
      ['cyclictest-thread0', 0],
      ['cyclictest-thread1', expect.closeTo(4_950_000, -4)],
    ]);
    expect(pairs[1]?.verdict).toContain('slower');
  });

  const row = '000013 000639\t000000';
  test.each<[string, string, RegExp]>([
    [
      'a row with letters',
      input('cyclictest.txt').replace(row, '000013 0006x9\t000000'),
      /line 16: "0006x9"/,
    ],
    [
      'a row of one thread less',
      input('cyclictest.txt').replace(row, '000013 000639'),
      /line 16 has 1 counts/,
    ],
    ['a row that is missing', input('cyclictest.txt').replace(`${row}\n`, ''), /line 16: 14 after 12/],
    [
      'another count than it says',
      input('cyclictest.txt').replace(row, '000013 000638\t000000'),
      /"# Total"/,
    ],
    ['two runs', input('cyclictest.txt').repeat(2), /two runs/],
    ['a file that is cut', input('cyclictest.txt').slice(0, -250), /"# .*" is not there/],
    ['no histogram', input('cyclictest-without-histogram.json'), /no thread has a latency in its histogram/],
    ['JSON that is cut', input('cyclictest.json').slice(0, 900), /not whole JSON/],
    ['a minimum above the maximum', input('cyclictest.json').replace('"min": 9', '"min": 900'), /cannot be/],
    ['a negative minimum', input('cyclictest.json').replace('"min": 9', '"min": -9'), /cannot be/],
    [
      'less cycles than latencies',
      input('cyclictest.json').replace('"cycles": 1500', '"cycles": 15'),
      /took 15/,
    ],
    ['nothing in braces', '{}', /not what cyclictest --json writes/],
    ['an array', '[1]', /is not there/],
    ['nothing', '', /is not there/],
    ['another text', 'T: 0 Min: 5', /is not there/],
  ])('with %s are refused in words', (_, text, why) => {
    expect(() => imported('cyclictest', text)).toThrow(failed(why));
  });

  test.each(['cyclictest-histofall.txt', 'cyclictest.txt', 'cyclictest.json'])(
    'cut anywhere in %s are refused, or whole',
    (name) => {
      const whole = input(name).replace('Overflows: 00009 00006', 'Overflows: 01234 04567');
      const figures = JSON.stringify(imported('cyclictest', whole).paths);
      for (let length = 0; length < whole.length; length++) {
        let result: Result | undefined;
        try {
          result = imported('cyclictest', whole.slice(0, length));
        } catch (error) {
          expect(error).toMatchObject({ code: 'IMPORT_FAILED' });
        }
        if (result) expect(JSON.stringify(result.paths)).toBe(figures);
      }
    },
  );

  test.each(['cyclictest.txt', 'cyclictest.json', 'cyclictest-histofall.txt'])(
    "of %s are the same with an editor's mark and carriage returns",
    (name) => {
      const touched = `\uFEFF${input(name).replaceAll('\n', ' \r\n')}\r\n`;
      expect(imported('cyclictest', touched).paths).toEqual(imported('cyclictest', input(name)).paths);
    },
  );
});

describe("oslat's results", () => {
  // Recorded with rt-tests 2.4 on two CPUs that were not isolated.
  const result = imported('oslat', input('oslat.json'));

  test('are stolen time, a path a CPU, with the overflowing bucket said to be a lower bound', () => {
    expect(result).toMatchObject({ quantity: 'stolen-time', made_by: { name: 'oslat', version: '2.40' } });
    expect(named(result)).toEqual([
      ['oslat-cpu0', 27_610_233],
      ['oslat-cpu1', 38_601_222],
    ]);
    expect(result.paths[0]?.latency_ns).toMatchObject({
      min: 1000,
      avg: expect.closeTo(1084.186, 3),
      max: 173_708_000,
    });
    expect(result.paths[0]?.latency_ns.p99).toBeLessThan(1002);
    expect(result.notes.join()).toMatch(/time that others stole.*oslat-cpu0 1093 of 27610233/s);
  });

  test('of a maximum within the buckets have no such bound', () => {
    const within = input('oslat.json').replaceAll(/"max": \d+/g, '"max": 32');
    const { notes, paths } = imported('oslat', within);
    expect(notes).toHaveLength(1);
    expect(paths[0]?.received).toBe(27_610_233);
  });

  test.each<[string, string, RegExp]>([
    ["cyclictest's document without CPUs", '{"file_version":1,"thread":{}}', /measured anything/],
    ['a count below zero', input('oslat.json').replace('"2": 223', '"2": -223'), /Too small/],
    ['a maximum below its buckets', input('oslat.json').replace('"max": 173708', '"max": 7'), /maximum of 7/],
  ])('with %s are refused', (_, text, why) => {
    expect(() => imported('oslat', text)).toThrow(failed(why));
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
    const result = imported('hdr-log', log);
    expect(result.made).toBe('2015-09-09T15:24:39.474Z');
    const [path] = result.paths;
    expect(path?.rounds).toHaveLength(2);
    // The log's maxima are in ms.
    expect(path?.rounds.map(({ latency_ns }) => Math.round(latency_ns.max / 1000))).toEqual([2769, 442]);
    expect(result.timeline?.points.map(({ at_s }) => Math.round(at_s * 1000))).toEqual([0, 1007]);
    // An editor's: carriage returns, a mark in front, blanks behind.
    const touched = `\uFEFF${log.replaceAll('\n', '  \r\n')}`;
    expect(imported('hdr-log', touched).paths).toEqual(result.paths);
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
    expect(result.paths.map(({ name, received, latency_ns }) => [name, received, latency_ns.max])).toEqual([
      ['a', 5, 100_000],
      ['b', 5, 7000],
    ]);
  });

  test('of the longest range are read', () => {
    const { paths } = imported('hdr-log', input('hdr-range-long-max.hlog'));
    expect(paths[0]).toMatchObject({ received: 11, latency_ns: { min: expect.closeTo(1000, -1) } });
    expect(Math.abs((paths[0]?.latency_ns.max ?? 0) - 5000)).toBeLessThan(5);
  });

  test('of any range and precision keep their values within it', () => {
    for (const digits of [1, 2, 3, 4, 5] as const)
      for (const [lowest, highest] of [
        [1, 2],
        [1, 3_600_000_000],
        [1000, 3_600_000_000],
        [1_000_000, Number.MAX_SAFE_INTEGER],
      ] as const) {
        const histogram = build({
          bitBucketSize: 64,
          lowestDiscernibleValue: lowest,
          highestTrackableValue: highest,
          numberOfSignificantValueDigits: digits,
        });
        const values = [lowest, Math.floor(highest / 7), Math.floor(highest * 0.9)].filter(
          (value) => value > 0,
        );
        for (const value of values) histogram.recordValue(value);
        const line = `0.0,1.0,1.0,${encodeIntoCompressedBase64(histogram)}`;
        const [path] = imported('hdr-log', line).paths;
        expect(path?.received).toBe(values.length);
        const worst = Math.max(lowest, Math.max(...values) * 10 ** -digits);
        expect(Math.abs((path?.latency_ns.max ?? 0) - Math.max(...values))).toBeLessThanOrEqual(worst);
      }
  });

  test('with another log behind them are read on one time', () => {
    const line = (start: string) => `${start},1.0,1.0,${hdr(1000)}`;
    const first = ['#[StartTime: 1700000000.0 (seconds since epoch)]', line('0.0'), line('1.0')];
    const second = ['#[StartTime: 1700000060.0 (seconds since epoch)]', line('0.0')];
    const { timeline } = imported('hdr-log', [...first, ...second].join('\n'));
    expect(timeline?.points.map(({ at_s }) => at_s)).toEqual([0, 1, 60]);
  });

  const whole = input('hdr-cut-last-line.hlog');
  test.each<[string, string, RegExp]>([
    ['a last line that is cut', whole, /line 5 has no whole histogram/],
    ['nothing in it', '', /no interval/],
    ['a head alone', '#[StartTime: 1 (s)]\n', /no interval/],
    ['too few fields', '1,2,3', /line 1 is no interval/],
    ['words', 'hello', /line 1 is no interval/],
    ['two points in a number', `1.2.3,1.0,1.0,${hdr(5)}`, /line 1 is no interval/],
    ['too many fields', '1,2,3,===,4', /line 1 is no interval/],
    ['something else in base64', '1.0,1.0,1.0,AAAAAAAAAAAAAAAA', /line 1 has no whole histogram/],
    [
      'a letter changed',
      `1.0,1.0,1.0,${hdr(5).replace(/.{9}$/, 'AAAAAAAAA')}`,
      /line 1 has no whole histogram/,
    ],
  ])('with %s are refused by file and line', (_, log, why) => {
    expect(() => imported('hdr-log', log)).toThrow(failed(why));
  });

  test('cut anywhere are refused, or hold the lines before', () => {
    const [head = '', line = ''] = ['#[StartTime: 1700000000.0 (s)]', `0.0,1.0,1.0,${hdr(1000)}`];
    const log = `${head}\n${line}\n${line}\n`;
    const two = `${head}\n${line}\n`.length;
    for (let length = 0; length < log.length; length++) {
      let result: Result | undefined;
      try {
        result = imported('hdr-log', log.slice(0, length));
      } catch (error) {
        expect(error).toMatchObject({ code: 'IMPORT_FAILED' });
      }
      if (result) expect(result.paths[0]?.received).toBe(length < two || length === two ? 1 : 2);
    }
  });
});

describe("MoonGen's histograms", () => {
  const csv = '1203.2,2\n1216,5\n2355.2,1\n';

  test('are one path in ns, with the clock of the NIC as it shows', () => {
    const result = imported('moongen', csv);
    expect(named(result)).toEqual([['moongen', 8]]);
    expect(result.paths[0]?.latency_ns).toMatchObject({ min: 1203.2, max: 2355.2 });
    expect(result.paths[0]?.latency_ns.avg).toBeCloseTo((1203.2 * 2 + 1216 * 5 + 2355.2) / 8, 6);
    expect(result.resolution_ns).toBeCloseTo(12.8, 6);
    expect(result.quantity).toBe('round-trip');
    expect(result.notes.join()).toContain('how many were lost is not known');
  });

  test.each<[string, string, RegExp]>([
    ['nothing in it', '', /no latency/],
    ['a line of words', 'latency,count\n1,2\n', /line 1 is no latency/],
    ['a value below zero', '1,2\n-3,1\n', /line 2 is no latency/],
    ['no number', 'nan,1\n', /line 1 is no latency/],
    ['a count of none', '5,0\n', /line 1 is no latency/],
    ['a value twice', '5,1\n5,2\n', /line 2: 5 is there twice/],
    ['its last line cut', csv.slice(0, -1), /cut/],
  ])('with %s are refused by line', (_, text, why) => {
    expect(() => imported('moongen', text)).toThrow(failed(why));
  });
});

describe("TRex's statistics", () => {
  const stream = (hdrh: string, change = {}) => ({
    err_cntrs: { dropped: 3, dup: 1, out_of_order: 2, seq_too_high: 0, seq_too_low: 0 },
    latency: { average: 40.1, hdrh, jitter: 2, last_max: 60, total_max: 61, total_min: 39, ...change },
  });
  const document = (streams: object) =>
    JSON.stringify({ flow_stats: {}, latency: { ...streams, global: { old_flow: 0, bad_hdr: 0 } } });

  test('are a path a stream, in ns, with what was lost', () => {
    const result = imported('trex', document({ 5: stream(hdr(40, 60)), 12: stream(hdr(50)) }));
    expect(named(result)).toEqual([
      ['trex-stream5', 2],
      ['trex-stream12', 1],
    ]);
    expect(result.paths[0]).toMatchObject({ sent: 5, lost: 3, duplicate: 1, reordered: 2 });
    expect(result.paths[0]?.latency_ns).toMatchObject({ min: 40_000, max: 60_000, avg: 50_000 });
    expect(result).toMatchObject({ quantity: 'round-trip', resolution_ns: 1000 });
  });

  test.each<[string, string, RegExp]>([
    ['no hdrh', document({ 5: { latency: { average: 1, total_max: 1, total_min: 1 } } }), /stream 5.*hdrh/s],
    ['a broken histogram', document({ 5: stream('HISTFAAAACF4n') }), /stream 5 has no whole histogram/],
    ['a minimum above the maximum', document({ 5: stream(hdr(40), { total_min: 99 }) }), /cannot be/],
    ['no stream', document({}), /no stream with a latency/],
    ['no latency', '{}', /no "latency"/],
    ['its end cut', document({ 5: stream(hdr(40)) }).slice(0, 100), /not whole JSON/],
  ])('with %s are refused', (_, text, why) => {
    expect(() => imported('trex', text)).toThrow(failed(why));
  });
});

/** A histogram of these values, base64. */
function hdr(...values: number[]): string {
  const histogram = build({ bitBucketSize: 64, numberOfSignificantValueDigits: 3, autoResize: true });
  for (const value of values) histogram.recordValue(value);
  return encodeIntoCompressedBase64(histogram);
}
