// SPDX-License-Identifier: Apache-2.0
import { afterEach, expect, test, vi } from 'vitest';
import { GuestFigures } from '../../../host-agent/live/figures.js';
import { domainFamilies } from '../../../host-agent/metrics/domain-families.js';
import type { DomainStatus } from '../../../src/control/schema.js';
import { desiredPathSchema } from '../../../src/protocol/fields.js';

const status: DomainStatus = {
  name: 'a "b"\\\n',
  uuid: '00000000-0000-4000-8000-000000000001',
  id: 1,
  domain: 'running',
  desired: 'vmcall',
  desired_from: 'metadata',
  problem: null,
  actual: 'unknown',
  phase: 'blocked',
  reason: null,
  kvm: { support: 'absent', vcpu_yield: null, irqfd_hardirq: null, yields: null, rings: null },
  guest: null,
};

function linesOf(name: string, more: Partial<DomainStatus> = {}): string[] {
  const family = domainFamilies.find((one) => one.name === name);
  const observed = { status: { ...status, ...more }, lookedAt: 0, figures: undefined };
  return family?.text(observed).trimEnd().split('\n') ?? [];
}

test.each(desiredPathSchema.options)('%s, desired or actual, is one of the states', (path) => {
  for (const name of ['vmcall_domain_desired_path', 'vmcall_domain_actual_path']) {
    const on = linesOf(name, { desired: path, actual: path }).filter((line) => line.endsWith(' 1'));
    expect(on).toEqual([`${name}{domain="${status.uuid}",path="${path}"} 1`]);
  }
});

test('what nobody reported has no series', () => {
  for (const name of ['vmcall_kvm_yields_total', 'vmcall_guest_reports_total', 'vmcall_wakes_total'])
    expect(linesOf(name)).toEqual(['']);
});

test('a name of any characters is one line', () => {
  expect(linesOf('vmcall_domain_info')).toEqual([
    `vmcall_domain_info{domain="${status.uuid}",name="a \\"b\\"\\\\\\n"} 1`,
  ]);
});

afterEach(() => vi.useRealTimers());

// The wall clock of a host that began three days behind, and is then set right, and back again.
test.each([259_201_000, -3_600_000])('a clock that is set by %i ms makes nothing older', (step) => {
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() });
  const at = performance.now() - 5_000;
  const figures = new GuestFigures();
  Object.defineProperty(figures, 'at', { get: () => at });
  vi.setSystemTime(Date.now() + step);
  for (const name of ['vmcall_domain_look_timestamp_seconds', 'vmcall_guest_report_timestamp_seconds']) {
    const family = domainFamilies.find((one) => one.name === name);
    const value = Number(family?.text({ status, lookedAt: at, figures }).trim().split(' ').at(-1));
    expect(Date.now() / 1000 - value).toBeCloseTo((performance.now() - at) / 1000, 0);
  }
});
