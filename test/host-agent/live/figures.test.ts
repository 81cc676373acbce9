// SPDX-License-Identifier: Apache-2.0
import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { GuestFigures } from '../../../host-agent/live/figures.js';
import { latencyBounds } from '../../../host-agent/live/latency-bounds.js';
import { noWakes } from '../../../src/protocol/histogram.js';
import type { Report } from '../../../src/protocol/messages.js';
import { encodeHistogram } from '../../../src/support/hdr/histogram.js';

/** Reports of one measurement; counts and latencies (ns) of each interval are what is new. */
function measurement() {
  const id = randomUUID();
  let sequence = 0;
  const counters: Record<string, number> = {};
  const total = { count: 0, min: null as number | null, max: 0, sum: 0 };
  return (more: Record<string, number>, latencies: number[], changes: Partial<Report> = {}): Report => {
    const delta = noWakes();
    for (const ns of latencies) delta.recordValue(ns);
    for (const [name, value] of Object.entries(more)) counters[name] = (counters[name] ?? 0) + value;
    total.count += latencies.length;
    total.sum += latencies.reduce((sum, ns) => sum + ns, 0);
    return {
      type: 'report',
      measurement: id,
      sequence: ++sequence,
      elapsed_us: sequence * 1_000_000,
      path: 'vmcall',
      wake_latency: {
        unit: 'ns',
        delta: { count: latencies.length, histogram: encodeHistogram(delta) },
        total: { ...total },
      },
      counters: { ...counters },
      ...changes,
    };
  };
}

describe('figures of a guest', () => {
  test('tell the last interval, of counts that only grow', () => {
    const figures = new GuestFigures();
    const next = measurement();
    figures.take(next({ rx: 100, wakes_packet: 90, waited_us: 800_000 }, [2_000, 3_000]), 1000);
    figures.take(next({ rx: 40, wakes_packet: 30, wakes_timeout: 2, waited_us: 900_000 }, [5_000]), 2000);
    expect(figures.interval(2_250)).toEqual({
      path: 'vmcall',
      age_ms: 250,
      elapsed_us: 1_000_000,
      rx: 40,
      tx: 0,
      waited_us: 900_000,
      wakes: { packet: 30, timeout: 2, interrupt: 0, kick: 0, control: 0, spurious: 0, off: 0, error: 0 },
      wake_latency: { unit: 'ns', count: 1, p50: 5_003, p99: 5_003, max: 5_003 },
    });
    expect(figures.counters.get('rx')).toBe(140);
  });

  test('add up over measurements, whose counts begin at nothing', () => {
    const figures = new GuestFigures();
    for (const next of [measurement(), measurement()]) {
      figures.take(next({ rx: 7 }, [1_500]), 0);
      figures.take(next({ rx: 3 }, [2_500]), 1);
    }
    expect(figures.counters.get('rx')).toBe(20);
    expect(figures.latency.get('vmcall')).toMatchObject({ count: 4, sum: 8_000 });
    expect([figures.reports, figures.missed]).toEqual([4, 0]);
  });

  test('count each wake in the bucket that Prometheus would', () => {
    const figures = new GuestFigures();
    const values = [1, 999, 1_001, 2_000, 19_000, 21_000, 59_000_000_000];
    figures.take(measurement()({}, values), 0);
    const { buckets = [], count } = figures.latency.get('vmcall') ?? {};
    expect(count).toBe(values.length);
    const expected = [...latencyBounds, Number.POSITIVE_INFINITY].map(
      (bound, at) => values.filter((ns) => ns <= bound && ns > (latencyBounds[at - 1] ?? 0)).length,
    );
    expect(buckets).toEqual(expected);
  });

  test('are of every report that came, however many came before anybody looked', () => {
    const figures = new GuestFigures();
    const next = measurement();
    for (let at = 1; at <= 13; at++) figures.take(next({}, [2_000, 3_000]), at);
    expect(figures.latency.get('vmcall')).toMatchObject({ count: 26, sum: 65_000 });
    figures.take(next({}, [1_000]), 14);
    expect(figures.latency.get('vmcall')).toMatchObject({ count: 27, sum: 66_000 });
  });

  test('keep an interval in which the path changed apart from either path', () => {
    const figures = new GuestFigures();
    const next = measurement();
    figures.take(next({}, [2_000]), 0);
    figures.take(next({ policy_switches: 1 }, [2_000], { path: 'injected' }), 1);
    expect(figures.interval(1)?.path).toBe('switching');
    figures.take(next({}, [], { path: 'injected' }), 2);
    expect(figures.interval(2)?.path).toBe('injected');
    expect([...figures.latency].map(([path, { count }]) => [path, count])).toEqual([
      ['vmcall', 1],
      ['switching', 1],
    ]);
  });

  test('count reports that did not come, and lose none of the counters with them', () => {
    const figures = new GuestFigures();
    const next = measurement();
    figures.take(next({ rx: 1 }, []), 0);
    next({ rx: 10 }, []);
    figures.take(next({ rx: 100 }, []), 1);
    expect([figures.missed, figures.counters.get('rx')]).toEqual([1, 111]);
  });

  test('take no harm from a histogram that is none', () => {
    const figures = new GuestFigures();
    const wake_latency = {
      ...measurement()({}, [1]).wake_latency,
      delta: { count: 1, histogram: 'AAAAAAAA' },
    };
    figures.take(measurement()({ rx: 1 }, [1], { wake_latency }), 0);
    expect([figures.missed, figures.counters.get('rx')]).toEqual([1, 1]);
    expect(figures.interval(0)?.wake_latency).toBeNull();
  });
});
