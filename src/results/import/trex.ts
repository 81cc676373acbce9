// SPDX-License-Identifier: Apache-2.0
import { z } from 'zod';
import type { PathResult, Result } from '../schema.js';
import {
  cannotImport,
  checkExtremes,
  exactHistogramOf,
  type ImportOptions,
  importedPath,
  importedResult,
  parseJson,
  units,
} from './document.js';
import { countsOfHdr } from './hdr-counts.js';

const count = z.int().min(0);
const wanted =
  "the JSON of TRex's STLClient.get_pgid_stats() or get_stats(), with hdrh (TRex v2.59 or newer)";

/** A stream of STLFlowLatencyStats; latencies in us. */
const streamSchema = z.looseObject({
  err_cntrs: z.looseObject({ dropped: count, dup: count, out_of_order: count }).partial().optional(),
  latency: z.looseObject({
    hdrh: z.string().max(4 * 2 ** 20),
    average: z.number(),
    total_max: z.number(),
    total_min: z.number(),
  }),
});

function readStreams(text: string, source: string) {
  const document = z
    .looseObject({ latency: z.record(z.string(), z.unknown()) })
    .safeParse(parseJson(text, source, wanted));
  if (!document.success) throw cannotImport(source, 'it has no "latency"', `Give ${wanted}`);
  // Beside the streams, by number, stands "global".
  const entries = Object.entries(document.data.latency).filter(([key]) => /^\d+$/.test(key));
  return entries.map(([id, value]) => {
    const stream = streamSchema.safeParse(value);
    if (stream.success) return { id, ...stream.data };
    throw cannotImport(
      source,
      `stream ${id}: ${z.prettifyError(stream.error).slice(0, 500)}`,
      `Give ${wanted}`,
    );
  });
}

/** TRex's latency streams, a path each, from their HDR histograms. Errors: `IMPORT_FAILED`. */
export function importTrex(text: string, options: ImportOptions): Result {
  const { source, clock, quantity = 'round-trip', unit = 'us' } = options;
  const scale = units[unit];
  const paths = readStreams(text, source).flatMap(({ id, latency, err_cntrs }): PathResult[] => {
    const counts = countsOfHdr(latency.hdrh, source, `stream ${id}`);
    if (counts.length === 0) return [];
    checkExtremes(source, `stream ${id}`, {
      min: latency.total_min,
      avg: Math.min(latency.total_max, Math.max(latency.total_min, latency.average)),
      max: latency.total_max,
    });
    const path = importedPath(`trex-stream${id}`, `TRex, stream ${id}`, exactHistogramOf(counts, scale), []);
    const lost = err_cntrs?.dropped ?? 0;
    return [
      {
        ...path,
        sent: path.received + lost,
        lost,
        duplicate: err_cntrs?.dup ?? 0,
        reordered: err_cntrs?.out_of_order ?? 0,
      },
    ];
  });
  if (paths.length === 0) throw cannotImport(source, 'no stream with a latency', `Give ${wanted}`);
  return importedResult(source, {
    made_by: { name: 'TRex', version: 'unknown' },
    clock,
    quantity,
    resolution_ns: scale,
    pattern: 'unknown',
    paths,
    notes: [
      `Values were taken to be in ${unit}. Minimum, average and maximum are those of the streams' HDR histograms: TRex's own average is a moving one.`,
    ],
  });
}
