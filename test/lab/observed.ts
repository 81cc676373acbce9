// SPDX-License-Identifier: Apache-2.0
import { expect } from 'vitest';
import type { Observed, ObservedLook } from '../../src/lab/events.js';
import { domainUuid } from '../../src/lab/host/domain-xml.js';

/** Notifications that may come while the counters of one moment are read. */
const between = 6;

function metric({ metrics }: ObservedLook, name: string, labels: Record<string, string> = {}): number {
  const words = Object.entries({ domain: domainUuid, ...labels }).map(([key, value]) => `${key}="${value}"`);
  return metrics[`${name}{${words.join(',')}}`] ?? 0;
}

/** What the host agent tells those who watch is what KVM counted. */
export function expectObserved({ packets, before, after, top }: Observed): void {
  const rise = (...words: [string, Record<string, string>?]) =>
    metric(after, ...words) - metric(before, ...words);
  for (const [name, counter] of [
    ['vmcall_kvm_yields_total', 'yields'],
    ['vmcall_kvm_doorbell_rings_total', 'rings'],
  ] as const) {
    expect(metric(before, name), name).toBeLessThanOrEqual(before.kvm[counter]);
    expect(metric(after, name), name).toBeGreaterThan(before.kvm[counter]);
    expect(metric(after, name), name).toBeLessThanOrEqual(after.kvm[counter]);
  }
  expect(rise('vmcall_received_packets_total')).toBe(packets);
  const rings = after.kvm.rings - before.kvm.rings;
  for (const wakes of [
    rise('vmcall_wakes_total', { reason: 'packet' }),
    rise('vmcall_wake_latency_seconds_count', { path: 'vmcall' }),
  ])
    expect(Math.abs(wakes - rings)).toBeLessThanOrEqual(between);
  expect(rings).toBeGreaterThan(packets / 2);
  for (const look of [before, after])
    expect(metric(look, 'vmcall_domain_actual_path', { path: 'vmcall' })).toBe(1);
  const domain = {
    uuid: domainUuid,
    state: 'running',
    desired: 'vmcall',
    actual: 'vmcall',
    phase: 'reached',
  };
  expect(top).toMatchObject({
    format: 'vmcall-top',
    libvirt: true,
    domains: [{ ...domain, reason: null, session: true, interval: { path: 'vmcall' } }],
  });
}
