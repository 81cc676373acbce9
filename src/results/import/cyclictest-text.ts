// SPDX-License-Identifier: Apache-2.0
import { type Count, cannotImport, totalOf } from './document.js';
import type { MeasuredThread, Origin } from './rt-tests.js';

const cure =
  'Give the whole text that cyclictest -h or -H wrote, as it wrote it, or the file of its --json=FILE';

/** A line and its number in the file. */
type Line = readonly [text: string, number: number];

function wholeNumbers([text, number]: Line, source: string): number[] {
  const words = text.trim().split(/\s+/);
  const wrong = words.find((word) => !/^\d{1,15}$/.test(word));
  if (wrong !== undefined) throw cannotImport(source, `line ${number}: "${wrong}" is no whole number`, cure);
  return words.map(Number);
}

/** The numbers of a line of the summary, such as "# Max Latencies: 00106 00133". */
function summary(lines: readonly Line[], title: string, source: string): number[] {
  const found = lines.filter(([text]) => text.startsWith(`# ${title}:`));
  const [line] = found;
  if (!line) throw cannotImport(source, `the line "# ${title}" is not there: is the file cut?`, cure);
  if (found.length > 1)
    throw cannotImport(source, `line ${found[1]?.[1]}: a second "# ${title}": it holds two runs`, 'Split it');
  return wholeNumbers([line[0].slice(title.length + 3), line[1]], source);
}

/** The rows of the histogram: a value, a count a thread and, of -H, one of all threads. In steps of one. */
function rowsOf(lines: readonly Line[], threads: number, columns: number, source: string): number[][] {
  const start = lines.findIndex(([text]) => text.startsWith('# Histogram'));
  if (start < 0) throw cannotImport(source, 'the line "# Histogram" is not there', cure);
  const length = lines.slice(start + 1).findIndex(([text]) => text.startsWith('#'));
  const block = lines.slice(start + 1, start + 1 + length).filter(([text]) => text.trim() !== '');
  let last: number | undefined;
  return block.map((line) => {
    const row = wholeNumbers(line, source);
    const [value = 0] = row;
    if (row.length !== columns + 1)
      throw cannotImport(
        source,
        `line ${line[1]} has ${row.length - 1} counts; ${columns} are wanted for ${threads} threads`,
        cure,
      );
    if (last !== undefined && value !== last + 1)
      throw cannotImport(source, `line ${line[1]}: ${value} after ${last}: a row is missing or twice`, cure);
    last = value;
    return row;
  });
}

/**
 * The text of `cyclictest -h US` or `-H US` or its --histfile: a line a value, a column a thread, and a summary; -H has
 * a column and a maximum more, of all threads together (rt-tests: src/cyclictest/cyclictest.c, print_hist).
 * Errors: `IMPORT_FAILED`, with the line where one is at fault.
 */
export function readCyclictestText(
  text: string,
  source: string,
): { threads: MeasuredThread[]; origin: Origin } {
  const lines = text.split(/\r?\n/).map((line, index): Line => [line.replace(/^\uFEFF/, ''), index + 1]);
  const of = (title: string) => summary(lines, title, source);
  const [minima, averages, maxima] = [of('Min Latencies'), of('Avg Latencies'), of('Max Latencies')];
  const [totals, overflows] = [of('Total'), of('Histogram Overflows')];
  // The last of the lines with figures: a number that was cut in it reads as a smaller one.
  if (lines.at(-1)?.[0].startsWith('# Histogram Overflows:'))
    throw cannotImport(source, 'it ends in the line "# Histogram Overflows": is the file cut?', cure);
  const threads = minima.length;
  const columns = maxima.length;
  const alike = [averages.length === threads, totals.length === columns, overflows.length === columns];
  if (alike.includes(false) || (columns !== threads && columns !== threads + 1))
    throw cannotImport(source, 'its summary has unlike numbers of threads', cure);
  const rows = rowsOf(lines, threads, columns, source);
  const origin = { tool: 'cyclictest', version: 'unknown' };
  return {
    origin,
    threads: minima.map((min, index): MeasuredThread => {
      const name = `cyclictest-thread${index}`;
      const counts = rows
        .map(([value = 0, ...columns]): Count => [value, columns[index] ?? 0])
        .filter(([, times]) => times > 0);
      const counted = totalOf(counts);
      if (counted !== totals[index])
        throw cannotImport(
          source,
          `${name} has ${counted} latencies, and "# Total" says ${totals[index]}`,
          cure,
        );
      const above = overflows[index] ?? 0;
      const sum = counts.reduce((total, [value, times]) => total + value * times, 0);
      // The text's average is cut to a whole number.
      const avg = above === 0 && counted > 0 ? sum / counted : (averages[index] ?? 0);
      return {
        name,
        counts,
        above,
        rangeEnd: (counts.at(-1)?.[0] ?? 0) + 1,
        min,
        avg,
        max: maxima[index] ?? 0,
      };
    }),
  };
}
