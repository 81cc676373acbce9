// SPDX-License-Identifier: Apache-2.0
import { z } from 'zod';
import type { Result } from '../schema.js';
import type { Count, ImportOptions } from './document.js';
import {
  type MeasuredThread,
  readRtTests,
  rtTestsResult,
  rtTestsSchema,
  rtThreadSchema,
  threadNames,
} from './rt-tests.js';

/** `oslat --json` (rt-tests: src/oslat/oslat.c, write_summary_json); values in us. */
const schema = rtTestsSchema.extend({ thread: z.record(z.string(), rtThreadSchema) });

/** oslat counts what is above its buckets in the last one: where the maximum is above, that one is no value. */
function splitLast(
  counts: readonly Count[],
  max: number,
): Pick<MeasuredThread, 'counts' | 'above' | 'rangeEnd'> {
  const [last = 0, times = 0] = counts.at(-1) ?? [];
  return max > last
    ? { counts: counts.slice(0, -1), above: times, rangeEnd: last }
    : { counts, above: 0, rangeEnd: last };
}

/** oslat's `--json` file, a path for each CPU. Errors: `IMPORT_FAILED`. */
export function importOslat(text: string, options: ImportOptions): Result {
  const { data, origin } = readRtTests(text, { schema, source: options.source, tool: 'oslat' });
  const entries = Object.values(data.thread);
  const names = threadNames(
    'oslat',
    entries.map(({ cpu }) => cpu),
  );
  const threads = entries.map(({ histogram, min, avg, max }, index): MeasuredThread => {
    const counts = Object.entries(histogram).map(([value, times]): Count => [Number(value), times]);
    return { name: names[index] ?? '', ...splitLast(counts, max), min, avg, max };
  });
  return rtTestsResult(threads, origin, options, {
    quantity: 'stolen-time',
    unit: 'us',
    pattern: 'busy-loop',
    meaning:
      "oslat measures how long a busy loop's steps took, and so the time that others stole from it, which is not a device's wake.",
  });
}
