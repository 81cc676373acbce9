// SPDX-License-Identifier: Apache-2.0
import { emptyHistogram } from '../histogram.js';
import type { Result, Timeline } from '../schema.js';
import {
  cannotImport,
  type ExactHistogram,
  exactHistogramOf,
  figuresOf,
  type ImportOptions,
  importedPath,
  importedResult,
  units,
} from './document.js';
import { countsOfHdr } from './hdr-counts.js';

/** More rounds than this a result does not hold. */
const mostIntervals = 10_000;
/** Stamps this far before the start are not epoch seconds but counted from it (HistogramLogReader.java). */
const yearInSeconds = 365 * 24 * 3600;

interface Interval {
  tag: string;
  /** s since the epoch where the log says when it began, else since anything. */
  start: number;
  length: number;
  measured: ExactHistogram;
}

function together(parts: readonly ExactHistogram[]): ExactHistogram {
  const histogram = emptyHistogram();
  let sum = 0;
  let min = Number.POSITIVE_INFINITY;
  let max = 0;
  for (const part of parts) {
    histogram.add(part.histogram);
    sum += part.exact.avg * part.histogram.totalCount;
    min = Math.min(min, part.exact.min);
    max = Math.max(max, part.exact.max);
  }
  const avg = Math.min(max, Math.max(min, sum / histogram.totalCount));
  return { histogram, exact: { min, avg, max } };
}

const headPattern = /^#\[(StartTime|BaseTime): (\d{1,12}(?:\.\d+)?)/;
const decimal = String.raw`\d{1,12}(?:\.\d+)?(?:E-?\d{1,3})?`;
const intervalPattern = new RegExp(
  String.raw`^(?:Tag=([^,\s]{1,200}),)?\s*(-?${decimal})\s*,\s*(${decimal})\s*,\s*(?:${decimal}|NaN|Infinity)\s*,\s*"?([A-Za-z0-9+/=]+)"?$`,
  'i',
);

/** What the lines before an interval say of the times in it; a log that was appended to says it again. */
class Head {
  startTime: number | undefined;
  #baseTime: number | undefined;

  take(name: string, seconds: number): void {
    if (name === 'BaseTime') this.#baseTime = seconds;
    else {
      this.startTime = seconds;
      this.#baseTime = undefined;
    }
  }

  timeOf(stamp: number): number {
    if (this.#baseTime !== undefined) return this.#baseTime + stamp;
    const start = this.startTime ?? 0;
    return stamp < start - yearInSeconds ? start + stamp : stamp;
  }
}

function readLog(text: string, source: string, scale: number) {
  const intervals: Interval[] = [];
  const head = new Head();
  let startTime: number | undefined;
  text
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/)
    .forEach((raw, index) => {
      const line = raw.trim();
      const [, name, seconds] = headPattern.exec(line) ?? [];
      if (name !== undefined) head.take(name, Number(seconds));
      startTime ??= head.startTime;
      if (line === '' || line.startsWith('#') || line.startsWith('"StartTimestamp"')) return;
      const [, tag = 'hdr-log', start, length, base64] = intervalPattern.exec(line) ?? [];
      if (base64 === undefined)
        throw cannotImport(
          source,
          `line ${index + 1} is no interval: start, length, maximum, histogram`,
          'Give a log as HdrHistogram writes it (format version 1.2 or newer); leave out a last line that was cut',
        );
      const counts = countsOfHdr(base64, source, `line ${index + 1}`);
      if (counts.length === 0) return;
      if (intervals.length === mostIntervals)
        throw cannotImport(source, `more than ${mostIntervals} intervals`, 'Split the log');
      const measured = exactHistogramOf(counts, scale);
      if (measured.exact.max > Number.MAX_SAFE_INTEGER)
        throw cannotImport(
          source,
          `line ${index + 1}: a value of ${measured.exact.max} ns, which no latency is`,
          'Say the unit of its values with --unit',
        );
      intervals.push({ tag, start: head.timeOf(Number(start)), length: Number(length), measured });
    });
  if (intervals.length === 0)
    throw cannotImport(source, 'no interval with a value', 'Give a log with values');
  return { intervals: intervals.sort((a, b) => a.start - b.start), startTime };
}

/**
 * A log of HDR histograms (HdrHistogram: HistogramLogReader.java), an interval a line; a path for each tag, a round
 * for each interval. The library's own reader is not used: it inflates without a limit and ends at the first line it
 * cannot read as if the log ended there. Errors: `IMPORT_FAILED`.
 */
export function importHdrLog(text: string, options: ImportOptions): Result {
  const { source, clock, quantity = 'unknown', unit = 'ns' } = options;
  const { intervals, startTime } = readLog(text, source, units[unit]);
  const first = intervals[0]?.start ?? 0;
  const tags = [...new Set(intervals.map(({ tag }) => tag))];
  const paths = tags.map((tag) => {
    const rounds = intervals.filter((interval) => interval.tag === tag).map(({ measured }) => measured);
    return importedPath(tag, `HDR log, ${tag}`, together(rounds), rounds);
  });
  const points: Timeline['points'] = intervals.map(({ tag, start, length, measured }) => {
    const { received, latency_ns } = figuresOf(measured);
    const { p50, p99, max } = latency_ns;
    return { path: tag, at_s: start - first, length_s: length, received, latency_ns: { p50, p99, max } };
  });
  return importedResult(source, {
    ...(startTime === undefined ? {} : { made: new Date(startTime * 1000).toISOString() }),
    made_by: { name: 'HDR histogram log', version: 'unknown' },
    clock,
    quantity,
    resolution_ns: units[unit],
    pattern: 'unknown',
    paths,
    timeline: { points, marks: [] },
    notes: [
      `Minimum and maximum are those of the log's histograms, not exact; values were taken to be in ${unit}.`,
    ],
  });
}
