// SPDX-License-Identifier: Apache-2.0
import { distributionOf } from '../histogram.js';
import type { PathResult } from '../schema.js';

/** RFC 4180: quoted where it must be. A cell that a spreadsheet would run as a formula is made text. */
function cell(text: string): string {
  const harmless = /^[=+@\t\r-]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless;
}

/** Every bin of every path: where it ends (ns, within the exact extremes), its count, the share at or below it. */
export function toCsv(paths: readonly PathResult[]): string {
  const rows = paths.flatMap((path) => {
    const { bins, total } = distributionOf(path.latency_histogram, path.latency_ns);
    let below = 0;
    return bins.map(({ value, count }) => {
      below += count;
      return `${cell(path.name)},${value},${count},${(below / total).toFixed(9)}`;
    });
  });
  return `${['path,latency_ns,count,share_at_or_below', ...rows].join('\r\n')}\r\n`;
}
