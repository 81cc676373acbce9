// SPDX-License-Identifier: Apache-2.0
// What a guest says of itself is added up only as far as it can be true.
import { describe, expect, test } from 'vitest';
import { MeasurementSum } from '../../src/measurement/sum.js';
import { noWakes } from '../../src/protocol/histogram.js';
import type { Report } from '../../src/protocol/messages.js';
import { encodeHistogram } from '../../src/support/hdr/histogram.js';

type Total = Report['wake_latency']['total'];

/** A report of one wake of 5 us; `total` is what the guest says of all so far. */
function report(sequence: number, total: Total): Report {
  const histogram = noWakes();
  histogram.recordValue(5_000);
  return {
    type: 'report',
    measurement: '00000000-0000-4000-8000-000000000000',
    sequence,
    path: 'vmcall',
    elapsed_us: sequence * 1_000_000,
    wake_latency: { unit: 'ns', delta: { count: 1, histogram: encodeHistogram(histogram) }, total },
    counters: {},
  };
}

const one: Total = { count: 1, min: 5_000, max: 5_000, sum: 5_000 };

describe('totals', () => {
  test('that can be are taken', () => {
    const sum = new MeasurementSum();
    sum.take(report(1, one));
    sum.take(report(2, { count: 2, min: 4_990, max: 5_000, sum: 9_990 }));
    expect([sum.broken, sum.measured?.total.count]).toEqual([undefined, 2]);
  });

  test('are read while the dataplane counts on: a wake more or less in one of them is none', () => {
    const sum = new MeasurementSum();
    sum.take(report(1, { count: 2, min: 5_000, max: 5_000, sum: 5_000 }));
    expect(sum.broken).toBeUndefined();
  });

  test.each([
    ['a minimum above the maximum', { count: 1, min: 9_000, max: 5_000, sum: 5_000 }],
    ['a sum below what the minimum makes it', { count: 100, min: 5_000, max: 5_000, sum: 1 }],
    ['a sum above what the maximum makes it', { count: 1, min: 5_000, max: 5_000, sum: 500_001 }],
    ['wakes without a minimum', { count: 1, min: null, max: 5_000, sum: 5_000 }],
  ])('with %s break the sum', (_what, total) => {
    const sum = new MeasurementSum();
    expect(sum.take(report(1, total))).toBeUndefined();
    expect(sum.broken).toMatch(/^report 1: the totals/);
    expect(sum.measured).toBeUndefined();
  });

  test.each([
    ['a maximum that goes back', { count: 2, min: 4_000, max: 4_500, sum: 8_500 }],
    ['a minimum that rises', { count: 2, min: 5_500, max: 6_000, sum: 11_500 }],
  ])('with %s break the sum, and what was there stands', (_what, total) => {
    const sum = new MeasurementSum();
    sum.take(report(1, one));
    expect(sum.take(report(2, total))).toBeUndefined();
    expect(sum.broken).toMatch(/^report 2: the totals go back/);
    expect(sum.measured?.total).toEqual(one);
  });
});
