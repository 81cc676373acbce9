// SPDX-License-Identifier: Apache-2.0
import type { Histogram } from 'hdr-histogram-js';
import { binsOf, decodeHistogram, emptyHistogram } from '../histogram.js';
import type { Result, Timeline } from '../schema.js';
import {
  cannotImport,
  type ImportOptions,
  importedPath,
  importedResult,
  latencyOf,
  type Measured,
  units,
} from './document.js';

/** More rounds than this a result does not hold. */
const mostIntervals = 10_000;

interface Interval {
  tag: string;
  start: number;
  length: number;
  measured: Measured;
}

/** A histogram of ns from one of another unit; its extremes are those of its bins. */
function measure(base64: string, scale: number): Measured {
  const decoded = decodeHistogram(base64);
  const { bins, total } = binsOf(decoded, { min: 0, max: Number.MAX_SAFE_INTEGER });
  const histogram: Histogram = emptyHistogram();
  let sum = 0;
  for (const { value, count } of bins) {
    histogram.recordValueWithCount(value * scale, count);
    sum += value * scale * count;
  }
  const at = (bin: { value: number } | undefined) => (bin?.value ?? 0) * scale;
  return { histogram, exact: { min: at(bins[0]), avg: total > 0 ? sum / total : 0, max: at(bins.at(-1)) } };
}

function together(parts: readonly Measured[]): Measured {
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
  return { histogram, exact: { min, avg: sum / histogram.totalCount, max } };
}

const startTimePattern = /^#\[StartTime: ([\d.]+)/;
const intervalPattern =
  /^(?:Tag=([^,\s]{1,200}),)?\s*(-?[\d.]+),\s*([\d.]+),\s*[\d.eE+-]+,\s*"?([A-Za-z0-9+/=]+)"?\s*$/;

function readLog(text: string, source: string, scale: number) {
  const intervals: Interval[] = [];
  let startTime: number | undefined;
  text.split(/\r?\n/).forEach((line, index) => {
    const started = startTimePattern.exec(line)?.[1];
    if (started) startTime = Number(started);
    if (line.trim() === '' || line.startsWith('#') || line.startsWith('"StartTimestamp"')) return;
    const [, tag = 'hdr-log', start, length, base64] = intervalPattern.exec(line) ?? [];
    if (base64 === undefined)
      throw cannotImport(
        source,
        `line ${index + 1} is no interval: start, length, maximum, histogram`,
        'Give a log as HdrHistogram writes it (format version 1.2 or newer)',
      );
    const measured = measure(base64, scale);
    if (measured.histogram.totalCount === 0) return;
    if (intervals.length === mostIntervals)
      throw cannotImport(source, `more than ${mostIntervals} intervals`, 'Split the log');
    intervals.push({ tag, start: Number(start), length: Number(length), measured });
  });
  if (intervals.length === 0)
    throw cannotImport(source, 'no interval with a value', 'Give a log with values');
  return { intervals: intervals.sort((a, b) => a.start - b.start), startTime };
}

/**
 * A log of HDR histograms (HdrHistogram: HistogramLogReader.java), an interval a line; a path for each tag, a round
 * for each interval. The library's own reader is not used: it inflates without a limit and ends at the first line it
 * cannot read as if the log ended there. Errors: `IMPORT_FAILED`, `HISTOGRAM_BROKEN`.
 */
export function importHdrLog(text: string, options: ImportOptions): Result {
  const { source, clock, quantity = 'unknown', unit = 'ns' } = options;
  const { intervals, startTime } = readLog(text, source, units[unit]);
  const first = Math.min(...intervals.map(({ start }) => start));
  const tags = [...new Set(intervals.map(({ tag }) => tag))];
  const paths = tags.map((tag) => {
    const rounds = intervals.filter((interval) => interval.tag === tag).map(({ measured }) => measured);
    return importedPath(tag, `HDR log, ${tag}`, together(rounds), rounds);
  });
  const points: Timeline['points'] = intervals.map(({ tag, start, length, measured }) => {
    const { p50, p99, max } = latencyOf(measured);
    const received = measured.histogram.totalCount;
    return { path: tag, at_s: start - first, length_s: length, received, rtt_ns: { p50, p99, max } };
  });
  return importedResult({
    made: new Date(startTime === undefined ? Date.now() : startTime * 1000).toISOString(),
    made_by: { name: 'HDR histogram log', version: 'unknown' },
    clock,
    quantity,
    resolution_ns: units[unit],
    pattern: 'unknown',
    paths,
    timeline: { points, marks: [] },
    platform: {},
    repeat: 'not known: an HDR log does not say',
    notes: [
      `Minimum and maximum are those of the log's histograms, not exact; values were taken to be in ${unit}.`,
    ],
  });
}
