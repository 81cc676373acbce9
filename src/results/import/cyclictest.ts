// SPDX-License-Identifier: Apache-2.0
import { z } from 'zod';
import { emptyHistogram } from '../histogram.js';
import type { Result } from '../schema.js';
import {
  cannotImport,
  type ImportOptions,
  importedPath,
  importedResult,
  type Measured,
  units,
} from './document.js';

const count = z.int().min(0);

/** `cyclictest --json` (rt-tests: src/cyclictest/cyclictest.c, write_stats; src/lib/rt-utils.c). */
const jsonSchema = z.looseObject({
  file_version: z.literal(1),
  // rt-tests 2.x writes the key with the colon in it.
  'cmdline:': z.string().optional(),
  cmdline: z.string().optional(),
  'rt_test_version:': z.string().optional(),
  start_time: z.string().optional(),
  sysinfo: z
    .looseObject({ sysname: z.string(), release: z.string(), version: z.string(), machine: z.string() })
    .optional(),
  /** 1: values are in ns (-N); else in us. */
  resolution_in_ns: z.int().optional(),
  thread: z.record(
    z.string(),
    z.looseObject({
      histogram: z.record(z.string().regex(/^\d{1,12}$/), count),
      cycles: count,
      min: z.number(),
      max: z.number(),
      avg: z.number(),
      cpu: z.int().optional(),
    }),
  ),
});

/** One thread as both formats give it, in the file's unit. */
interface Thread {
  name: string;
  counts: readonly (readonly [value: number, count: number])[];
  /** With those above the histogram's range. */
  cycles: number;
  min: number;
  avg: number;
  max: number;
}

interface Parsed {
  threads: Thread[];
  nanoseconds: boolean;
  made?: string;
  version: string;
  command?: string;
  kernel?: string;
}

function parseJson(document: unknown, source: string): Parsed {
  const parsed = jsonSchema.safeParse(document);
  if (!parsed.success)
    throw cannotImport(
      source,
      `not what cyclictest --json writes: ${z.prettifyError(parsed.error).slice(0, 500)}`,
      'Give the file of cyclictest --json=FILE, or the text of cyclictest -h',
    );
  const { data } = parsed;
  const started = Date.parse(data.start_time ?? '');
  const command = data['cmdline:'] ?? data.cmdline;
  const { sysinfo } = data;
  return {
    threads: Object.entries(data.thread).map(([index, { histogram, cpu, ...rest }]) => ({
      ...rest,
      name: cpu === undefined ? `cyclictest-thread${index}` : `cyclictest-cpu${cpu}`,
      counts: Object.entries(histogram).map(([value, times]) => [Number(value), times] as const),
    })),
    nanoseconds: data.resolution_in_ns === 1,
    version: data['rt_test_version:'] ?? 'unknown',
    ...(Number.isNaN(started) ? {} : { made: new Date(started).toISOString() }),
    ...(command ? { command } : {}),
    ...(sysinfo
      ? { kernel: `${sysinfo.sysname} ${sysinfo.release} ${sysinfo.version} ${sysinfo.machine}` }
      : {}),
  };
}

/** The text of `cyclictest -h US` or its --histfile: a line a value, a column a thread, and a summary. */
function parseText(text: string, source: string, nanoseconds: boolean): Parsed {
  const lines = text.split(/\r?\n/);
  const summary = (title: string) => {
    const line = lines.find((candidate) => candidate.startsWith(`# ${title}:`));
    return (
      line
        ?.slice(title.length + 3)
        .match(/\d+/g)
        ?.map(Number) ?? []
    );
  };
  const [minima, averages, maxima] = [
    summary('Min Latencies'),
    summary('Avg Latencies'),
    summary('Max Latencies'),
  ];
  const overflows = summary('Histogram Overflows');
  const rows = lines
    .filter((line) => /^\d+\s/.test(line))
    .map((line) => line.trim().split(/\s+/).map(Number));
  if (minima.length === 0 || averages.length !== minima.length || maxima.length !== minima.length)
    throw cannotImport(
      source,
      'the lines "# Min Latencies", "# Avg Latencies" and "# Max Latencies" are not there',
      'Give the file of cyclictest --json=FILE, or the text of cyclictest -h',
    );
  const threads = minima.map((min, index): Thread => {
    const counts = rows.flatMap(([value, ...columns]) => {
      const times = columns[index];
      return value !== undefined && times !== undefined && times > 0 ? [[value, times] as const] : [];
    });
    const counted = counts.reduce((total, [, times]) => total + times, 0);
    const overflow = overflows[index] ?? 0;
    const mean = counts.reduce((total, [value, times]) => total + value * times, 0) / counted;
    return {
      name: `cyclictest-thread${index}`,
      counts,
      cycles: counted + overflow,
      min,
      // The text's average is cut to a whole number.
      avg: overflow === 0 && counted > 0 ? mean : (averages[index] ?? 0),
      max: maxima[index] ?? 0,
    };
  });
  return { threads, nanoseconds, version: 'unknown' };
}

/** The thread's histogram in ns. Values above cyclictest's range are known by number alone, and one by its size. */
function measure(
  { counts, cycles, min, avg, max }: Thread,
  scale: number,
): { measured: Measured; above: number } {
  const histogram = emptyHistogram();
  for (const [value, times] of counts) histogram.recordValueWithCount(value * scale, times);
  const above = Math.max(0, cycles - histogram.totalCount);
  const top = Math.max(0, ...counts.map(([value]) => value + 1));
  if (above > 1) histogram.recordValueWithCount(Math.min(top, max) * scale, above - 1);
  if (above > 0) histogram.recordValue(max * scale);
  return { measured: { histogram, exact: { min: min * scale, avg: avg * scale, max: max * scale } }, above };
}

/** cyclictest's `--json` file or the text of its `-h`, a path for each thread. Errors: `IMPORT_FAILED`. */
export function importCyclictest(text: string, options: ImportOptions): Result {
  const { source, clock, unit } = options;
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch {
    document = undefined;
  }
  const parsed =
    document === undefined ? parseText(text, source, unit === 'ns') : parseJson(document, source);
  const scale = parsed.nanoseconds ? units.ns : units.us;
  const notes: string[] = [];
  const paths = parsed.threads.map((thread) => {
    if (thread.counts.length === 0)
      throw cannotImport(
        source,
        `${thread.name} has no histogram`,
        'Run cyclictest with --histogram=US, US above the latencies to be seen',
      );
    const { measured, above } = measure(thread, scale);
    if (above > 0)
      notes.push(
        `${thread.name}: ${above} of ${thread.cycles} latencies were above cyclictest's histogram; the greatest is exact, the others are put just above the last value it counted, so that percentiles there are lower bounds.`,
      );
    return importedPath(thread.name, `cyclictest, ${thread.name.replace('cyclictest-', '')}`, measured, []);
  });
  if (paths.length === 0) throw cannotImport(source, 'no thread', 'Give a whole file of cyclictest');
  return importedResult({
    made: parsed.made ?? new Date().toISOString(),
    made_by: { name: 'cyclictest', version: parsed.version },
    clock,
    quantity: 'timer-wake-up',
    resolution_ns: scale,
    pattern: 'timer',
    paths,
    platform: {
      ...(parsed.kernel ? { hostKernel: parsed.kernel } : {}),
      ...(parsed.command ? { command: parsed.command } : {}),
    },
    repeat: parsed.command ?? 'not known: the file does not say',
    notes,
  });
}
