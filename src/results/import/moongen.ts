// SPDX-License-Identifier: Apache-2.0
import type { Result } from '../schema.js';
import {
  type Count,
  cannotImport,
  exactHistogramOf,
  type ImportOptions,
  importedPath,
  importedResult,
  units,
} from './document.js';

const row = /^\s*(\d+(?:\.\d+)?(?:e[+-]?\d+)?)\s*,\s*(\d{1,15})\s*$/i;

function readRows(text: string, source: string): Count[] {
  const cure =
    'Give the file that the histogram:save() of a MoonGen script wrote, whole: LATENCY,COUNT a line';
  const counts = new Map<number, number>();
  text
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/)
    .forEach((line, index) => {
      if (line.trim() === '') return;
      const [, value, times] = row.exec(line) ?? [];
      if (value === undefined || Number(value) > Number.MAX_SAFE_INTEGER || Number(times) === 0)
        throw cannotImport(
          source,
          `line ${index + 1} is no latency and its count: "${line.slice(0, 80)}"`,
          cure,
        );
      if (counts.has(Number(value)))
        throw cannotImport(source, `line ${index + 1}: ${value} is there twice: two runs in one file?`, cure);
      counts.set(Number(value), Number(times));
    });
  if (counts.size === 0) throw cannotImport(source, 'no latency', cure);
  // A file that ends inside a count reads as a whole one: only the line's end tells.
  if (!/\n\s*$/.test(text)) throw cannotImport(source, 'the last line has no end: the file is cut', cure);
  return [...counts].sort(([a], [b]) => a - b);
}

/** The least gap between two latencies: the NIC's clock, as far as the file shows it. */
function resolutionOf(counts: readonly Count[]): number {
  const gaps = counts.slice(1).map(([value], index) => value - (counts[index]?.[0] ?? 0));
  return Math.min(...gaps, Number.POSITIVE_INFINITY);
}

/**
 * The CSV of MoonGen's histograms (libmoon: lua/histogram.lua, save), in ns by default: one path, with no word of
 * losses. Errors: `IMPORT_FAILED`.
 */
export function importMoongen(text: string, options: ImportOptions): Result {
  const { source, clock, quantity = 'round-trip', unit = 'ns' } = options;
  const scale = units[unit];
  const counts = readRows(text, source);
  const gap = resolutionOf(counts) * scale;
  return importedResult(source, {
    made_by: { name: 'MoonGen', version: 'unknown' },
    clock,
    quantity,
    resolution_ns: Number.isFinite(gap) ? gap : scale,
    pattern: 'unknown',
    paths: [importedPath('moongen', 'MoonGen', exactHistogramOf(counts, scale), [])],
    notes: [
      `Values were taken to be in ${unit}. A packet that did not come back is not in such a file: how many were lost is not known.`,
    ],
  });
}
