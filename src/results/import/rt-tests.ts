// SPDX-License-Identifier: Apache-2.0
import { z } from 'zod';
import { leftOutAbove } from '../limits.js';
import type { PathResult, Result } from '../schema.js';
import {
  type Count,
  cannotImport,
  checkExtremes,
  type ExactHistogram,
  histogramOf,
  type ImportOptions,
  importedPath,
  importedResult,
  parseJson,
  totalOf,
  units,
} from './document.js';

const times = z.int().min(0);

/** What every tool of rt-tests writes with `--json` (src/lib/rt-utils.c, rt_write_json). */
export const rtTestsSchema = z.looseObject({
  file_version: z.literal(1),
  // rt-tests 2.x writes these keys with the colon in them.
  'cmdline:': z.string().optional(),
  cmdline: z.string().optional(),
  'rt_test_version:': z.string().optional(),
  start_time: z.string().optional(),
  sysinfo: z
    .looseObject({ sysname: z.string(), release: z.string(), version: z.string(), machine: z.string() })
    .optional(),
});

export const rtThreadSchema = z.looseObject({
  histogram: z.record(z.string().regex(/^\d{1,12}$/), times),
  min: z.number(),
  max: z.number(),
  avg: z.number(),
  cpu: z.int().optional(),
});

/** One thread of a tool, in the file's unit. */
export interface MeasuredThread {
  name: string;
  counts: readonly Count[];
  /** How many values the tool took that its histogram has no place for ... */
  above: number;
  /** ... and the least that these can have been, as far as is known. */
  rangeEnd: number;
  min: number;
  avg: number;
  max: number;
}

/** What a tool's file says of itself. */
export interface Origin {
  tool: string;
  version: string;
  made?: string;
  command?: string;
  kernel?: string;
}

/** A tool's JSON, checked. `wanted` names the file that should have been given. Error: `IMPORT_FAILED`. */
export function readRtTests<T extends z.infer<typeof rtTestsSchema>>(
  text: string,
  { schema, source, tool }: { schema: z.ZodType<T>; source: string; tool: string },
): { data: T; origin: Origin } {
  const wanted = `the whole file of ${tool} --json=FILE`;
  const parsed = schema.safeParse(parseJson(text, source, wanted));
  if (!parsed.success)
    throw cannotImport(
      source,
      `not what ${tool} --json writes: ${z.prettifyError(parsed.error).slice(0, 500)}`,
      `Give ${wanted}`,
    );
  const { data } = parsed;
  const started = Date.parse(data.start_time ?? '');
  const command = data['cmdline:'] ?? data.cmdline;
  const { sysinfo } = data;
  const origin: Origin = {
    tool,
    version: data['rt_test_version:'] ?? 'unknown',
    ...(Number.isNaN(started) ? {} : { made: new Date(started).toISOString() }),
    ...(command ? { command } : {}),
    ...(sysinfo
      ? { kernel: `${sysinfo.sysname} ${sysinfo.release} ${sysinfo.version} ${sysinfo.machine}` }
      : {}),
  };
  return { data, origin };
}

/** A name for each thread: by CPU where that is pinned and the thread's own, so that two runs' threads meet. */
export function threadNames(tool: string, cpus: readonly (number | undefined)[]): string[] {
  const pinned = (cpu: number | undefined): cpu is number => cpu !== undefined && cpu >= 0;
  return cpus.map((cpu, index) => {
    if (!pinned(cpu)) return `${tool}-thread${index}`;
    return cpus.filter((other) => other === cpu).length === 1
      ? `${tool}-cpu${cpu}`
      : `${tool}-cpu${cpu}-thread${index}`;
  });
}

/** The thread's histogram in ns. Of values above the tool's range the greatest alone is known; the rest by number. */
function measure(thread: MeasuredThread, scale: number, source: string): ExactHistogram {
  const { name, counts, above, rangeEnd, min, avg, max } = thread;
  checkExtremes(source, name, thread);
  const wrong = counts.find(([value]) => value < min || value > max);
  if (wrong)
    throw cannotImport(
      source,
      `${name} has ${wrong[1]} of ${wrong[0]}, with a minimum of ${min} and a maximum of ${max}`,
      'Give the file as the tool wrote it, or measure again',
    );
  const beyond: Count[] =
    above > 0
      ? [
          [Math.min(rangeEnd, max), above - 1],
          [max, 1],
        ]
      : [];
  return {
    histogram: histogramOf([...counts, ...beyond], scale),
    exact: { min: min * scale, avg: avg * scale, max: max * scale },
  };
}

/** What to tell of the threads: those left out, and those whose tail is known in part alone. */
function notesOf(threads: readonly MeasuredThread[]): string[] {
  const all = ({ counts, above }: MeasuredThread) => totalOf(counts) + above;
  const named = (some: readonly MeasuredThread[]) =>
    some.map((thread) => `${thread.name} ${thread.above} of ${all(thread)}`).join(', ');
  const outside = threads.filter(({ counts, above }) => counts.length === 0 && above > 0);
  const idle = threads.filter((thread) => all(thread) === 0);
  const cut = threads.filter(({ counts, above }) => counts.length > 0 && above > 0);
  return [
    ...(outside.length > 0 ? [`${leftOutAbove}: ${named(outside)}.`] : []),
    ...(idle.length > 0
      ? [`Left out, as they measured nothing: ${idle.map(({ name }) => name).join(', ')}.`]
      : []),
    ...(cut.length > 0
      ? [
          `Latencies above the histogram: ${named(cut)}. The greatest of each thread is exact, the others are put just above the last value it counted, so that percentiles there are lower bounds.`,
        ]
      : []),
  ];
}

/** The result document of a tool of rt-tests, a path a thread. Errors: `IMPORT_FAILED`. */
export function rtTestsResult(
  threads: readonly MeasuredThread[],
  origin: Origin,
  { source, clock }: ImportOptions,
  facts: Pick<Result, 'quantity'> & { unit: keyof typeof units; pattern: string; meaning: string },
): Result {
  const { tool, version, made, command, kernel } = origin;
  const scale = units[facts.unit];
  const counted = threads.filter(({ counts }) => counts.length > 0);
  if (counted.length === 0) {
    const above = threads.some((thread) => thread.above > 0);
    throw cannotImport(
      source,
      above ? 'all latencies of all threads are above its histogram' : 'no thread measured anything',
      above
        ? `Run ${tool} with a longer histogram: its end above the latencies to be seen`
        : `Give a whole file of ${tool}`,
    );
  }
  const paths = counted.map(
    (thread): PathResult =>
      importedPath(
        thread.name,
        `${tool}, ${thread.name.replace(`${tool}-`, '')}`,
        measure(thread, scale, source),
        [],
      ),
  );
  return importedResult(source, {
    ...(made ? { made } : {}),
    made_by: { name: tool, version },
    clock,
    quantity: facts.quantity,
    resolution_ns: scale,
    pattern: facts.pattern,
    paths,
    platform: { ...(kernel ? { hostKernel: kernel } : {}), ...(command ? { command } : {}) },
    ...(command ? { repeat: command } : {}),
    notes: [facts.meaning, ...notesOf(threads)],
  });
}
