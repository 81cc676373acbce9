// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from 'vitest';
import { type MeasuredDataplane, Measurement } from '../../guest-agent/measurement.js';
import type { Path } from '../../src/protocol/fields.js';
import { decodeWakes, noWakes } from '../../src/protocol/histogram.js';
import { type Report, reportSchema } from '../../src/protocol/messages.js';
import { encodeHistogram } from '../../src/support/hdr/histogram.js';

const id = '0b9e2f6c-7a4d-4b6e-9c11-2f8d4e6a1b3c';

/** Counts as the dataplane's C program does: cumulative until it is reset. */
class Counting implements MeasuredDataplane {
  histogram = noWakes();
  values: number[] = [];

  record(...values: number[]): void {
    for (const value of values) this.histogram.recordValue(value);
    this.values.push(...values);
  }
  async reset() {
    this.histogram = noWakes();
    this.values = [];
  }
  path: Path = 'vmcall';
  /** What is kept, part by part; undefined while nothing is. */
  wakes: string[] | undefined;

  async keepWakes(isOn: boolean) {
    this.wakes = isOn ? [] : undefined;
  }
  async takeWakes() {
    const data = this.wakes?.shift() ?? '';
    return { tscKhz: 2_596_000, count: data.length, missed: 7, data };
  }
  async counters() {
    return { path: this.path, counters: { rx: this.values.length } };
  }
  async wakeLatency() {
    return {
      count: this.values.length,
      min: this.values.length === 0 ? 0 : Math.min(...this.values),
      max: Math.max(0, ...this.values),
      sum: this.values.reduce((sum, value) => sum + value, 0),
      histogram: encodeHistogram(this.histogram),
    };
  }
}

describe('a measurement', () => {
  test('tells when it slept in interrupts if asked to, as much as a report holds, on the injected path', async () => {
    const counting = new Counting();
    counting.path = 'injected';
    const reports: Report[] = [];
    const measurement = new Measurement(
      id,
      counting,
      (report) => reports.push(reportSchema.parse(report)),
      true,
    );
    await measurement.start(60_000, (error) => expect.unreachable(String(error)));
    counting.wakes?.push('AAAA', 'BBBB', 'CCCC');
    await measurement.finish();
    expect(reports.at(-1)?.wake_times).toEqual({ tsc_khz: 2_596_000, missed: 7, data: ['AAAA', 'BBBB'] });
    expect(counting.wakes).toBeUndefined();
  });

  test('reports deltas that add up to the whole, with exact totals beside', async () => {
    const counting = new Counting();
    const reports: Report[] = [];
    counting.record(1);
    const rounds = [[2100, 2100, 19_004], [], [50, 7_000_000]];
    const measurement = new Measurement(id, counting, (report) => {
      reports.push(reportSchema.parse(report));
      counting.record(...(rounds[reports.length] ?? []));
    });
    await measurement.start(100, (error) => expect.unreachable(String(error)));
    counting.record(...(rounds[0] ?? []));
    await expect.poll(() => reports.length, { timeout: 20_000 }).toBeGreaterThanOrEqual(4);
    await measurement.finish();

    expect(reports.map(({ sequence }) => sequence)).toEqual(reports.map((_report, index) => index + 1));
    const sum = noWakes();
    for (const {
      wake_latency: { delta },
    } of reports) {
      const part = decodeWakes(delta.histogram);
      expect(part.totalCount).toBe(delta.count);
      sum.add(part);
    }
    expect(encodeHistogram(sum)).toBe(encodeHistogram(counting.histogram));
    expect(reports.slice(0, 4).map(({ wake_latency: { delta } }) => delta.count)).toEqual([3, 0, 2, 0]);
    expect(reports.at(-1)?.wake_latency.total).toEqual({ count: 5, min: 50, max: 7_000_000, sum: 7_023_254 });
    expect(reports.at(-1)?.counters).toEqual({ rx: 5 });
    expect(measurement.reports).toBe(reports.length);
  });

  test('with nothing counted has no minimum', async () => {
    const reports: Report[] = [];
    const measurement = new Measurement(id, new Counting(), (report) =>
      reports.push(reportSchema.parse(report)),
    );
    await measurement.start(60_000, () => {});
    await measurement.finish();
    expect(reports).toHaveLength(1);
    expect(reports[0]?.wake_latency.total).toEqual({ count: 0, min: null, max: 0, sum: 0 });
  });

  test('breaks when somebody else resets the counts, and reports no more', async () => {
    const counting = new Counting();
    let reports = 0;
    const measurement = new Measurement(id, counting, () => {
      reports++;
      void counting.reset();
    });
    const broken = new Promise(
      (resolve) => void measurement.start(100, resolve).then(() => counting.record(5, 6)),
    );
    expect(await broken).toMatchObject({ code: 'DATAPLANE_RESET' });
    expect(reports).toBe(1);
  });
});
