// SPDX-License-Identifier: Apache-2.0
import { z } from 'zod';
import type { Result } from '../schema.js';
import { readCyclictestText } from './cyclictest-text.js';
import { type Count, cannotImport, type ImportOptions, totalOf } from './document.js';
import {
  type MeasuredThread,
  type Origin,
  readRtTests,
  rtTestsResult,
  rtTestsSchema,
  rtThreadSchema,
  threadNames,
} from './rt-tests.js';

/** `cyclictest --json` (rt-tests: src/cyclictest/cyclictest.c, write_stats). */
const schema = rtTestsSchema.extend({
  /** 1: values are in ns (-N); else in us. */
  resolution_in_ns: z.int().optional(),
  thread: z.record(z.string(), rtThreadSchema.extend({ cycles: z.int().min(0) })),
});

function readJson(
  text: string,
  source: string,
): { threads: MeasuredThread[]; origin: Origin; nanoseconds: boolean } {
  const { data, origin } = readRtTests(text, { schema, source, tool: 'cyclictest' });
  const entries = Object.values(data.thread);
  const names = threadNames(
    'cyclictest',
    entries.map(({ cpu }) => cpu),
  );
  if (entries.length > 0 && entries.every(({ histogram }) => Object.keys(histogram).length === 0))
    throw cannotImport(
      source,
      'no thread has a latency in its histogram: there was none, or all latencies were above it',
      'Run cyclictest with --histogram=US, US above the latencies to be seen',
    );
  const threads = entries.map(({ histogram, cycles, min, avg, max }, index): MeasuredThread => {
    const name = names[index] ?? '';
    const counts = Object.entries(histogram).map(([value, times]): Count => [Number(value), times]);
    const above = cycles - totalOf(counts);
    if (above < 0)
      throw cannotImport(
        source,
        `${name} has ${totalOf(counts)} latencies in its histogram, and took ${cycles}`,
        'Give the file as cyclictest wrote it',
      );
    return { name, counts, above, rangeEnd: (counts.at(-1)?.[0] ?? 0) + 1, min, avg, max };
  });
  return { threads, origin, nanoseconds: data.resolution_in_ns === 1 };
}

/**
 * cyclictest's `--json` file, or the text of its `-h` or `-H`, a path for each thread. Errors: `IMPORT_FAILED`.
 */
export function importCyclictest(text: string, options: ImportOptions): Result {
  const { source, unit } = options;
  const { threads, origin, nanoseconds } = text.trimStart().startsWith('{')
    ? readJson(text, source)
    : { ...readCyclictestText(text, source), nanoseconds: unit === 'ns' };
  return rtTestsResult(threads, origin, options, {
    quantity: 'timer-wake-up',
    unit: nanoseconds ? 'ns' : 'us',
    pattern: 'timer',
    meaning: "cyclictest measures how late a timer's thread runs, which is not a device's wake.",
  });
}
