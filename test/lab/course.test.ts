// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from 'vitest';
import { courseOf } from '../../src/lab/host/course.js';

/** The generator's file: one packet each 350 us, with these round trips, ns. */
function samples(roundTrips: readonly number[]): string {
  const rows = roundTrips.map(
    (roundTrip, index) => `${index + 20},${1_000_000 + index * 350_000},${roundTrip}`,
  );
  return ['sequence,sent_ns,rtt_ns', ...rows, ''].join('\n');
}

describe('course of a burst', () => {
  test('shows where in time the latency changed, and leaves no packet out', () => {
    const points = courseOf(samples([...Array(50).fill(27_000), ...Array(30).fill(44_000)]));
    expect(points.map(({ received }) => received)).toEqual([25, 25, 25, 5]);
    expect(points.map(({ at }) => at)).toEqual([0, 25, 50, 75].map((packet) => packet * 350_000));
    expect(points.map(({ rtt }) => rtt.max)).toEqual([27_000, 27_000, 44_000, 44_000]);
    expect(points[3]?.length).toBe(4 * 350_000 + 44_000);
  });

  test('keeps to a hundred points, however many packets there are', () => {
    const points = courseOf(samples(Array(10_001).fill(27_000)));
    expect(points.length).toBeLessThanOrEqual(100);
    expect(points.reduce((sum, { received }) => sum + received, 0)).toBe(10_001);
  });

  test('of nothing is nothing', () => {
    expect(courseOf(samples([]))).toEqual([]);
  });
});
