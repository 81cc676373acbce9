// SPDX-License-Identifier: Apache-2.0
import { latencyOf } from '../../results/latency.js';
import type { CoursePoint } from '../events.js';

/** Packets of one point: enough for a median, few enough to see a change. */
const packetsAPoint = 25;
/** Points of one burst at most; a longer one has more packets a point. */
const pointsAtMost = 100;

/**
 * How the round trips of a burst went over its time.
 * @param samples the generator's `--samples` file: sequence, sent_ns, rtt_ns of each packet that came back
 */
export function courseOf(samples: string): CoursePoint[] {
  const packets = samples
    .trim()
    .split('\n')
    .slice(1)
    .map((line) => line.split(',').map(Number))
    .map(([, sent = 0, roundTrip = 0]) => ({ sent, roundTrip }));
  const size = Math.max(packetsAPoint, Math.ceil(packets.length / pointsAtMost));
  const start = packets[0]?.sent ?? 0;
  const points: CoursePoint[] = [];
  for (let first = 0; first < packets.length; first += size) {
    const part = packets.slice(first, first + size);
    const last = part.at(-1);
    const at = (part[0]?.sent ?? start) - start;
    const { p50, p99, max } = latencyOf(part.map(({ roundTrip }) => roundTrip));
    const length = (last?.sent ?? 0) + (last?.roundTrip ?? 0) - start - at;
    points.push({ at, length, received: part.length, rtt: { p50, p99, max } });
  }
  return points;
}
