// SPDX-License-Identifier: Apache-2.0
import { decodeHistogram } from '../histogram.js';
import type { PathResult } from '../schema.js';

/** HdrHistogram's own default (HistogramLogProcessor): lines for each halving of what is left above. */
const linesEachHalf = 5;

/** The percentile distribution as HdrHistogram's plotters read it, in us; the exact extremes as a comment. */
export function toHgrm(path: PathResult): string {
  const distribution = decodeHistogram(path.latency_histogram).outputPercentileDistribution(
    linesEachHalf,
    1000,
  );
  const { min, max } = path.latency_ns;
  return `${distribution.trimEnd()}\n#[Exact minimum = ${min / 1000}, exact maximum = ${max / 1000}]\n`;
}
