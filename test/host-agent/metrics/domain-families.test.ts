// SPDX-License-Identifier: Apache-2.0
import { expect, test } from 'vitest';
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
  const watched = { status: { ...status, ...more }, lookedAt: 0, figures: undefined };
  return family?.text(watched).trimEnd().split('\n') ?? [];
}

test.each(desiredPathSchema.options)('%s, desired or actual, is one of the states', (path) => {
  for (const name of ['vmcall_domain_desired_path', 'vmcall_domain_actual_path']) {
    const on = linesOf(name, { desired: path, actual: path }).filter((line) => line.endsWith(' 1'));
    expect(on).toEqual([`${name}{domain="${status.uuid}",path="${path}"} 1`]);
  }
});

test('what nobody told has no series', () => {
  for (const name of ['vmcall_kvm_yields_total', 'vmcall_guest_reports_total', 'vmcall_wakes_total'])
    expect(linesOf(name)).toEqual(['']);
});

test('a name of any characters is one line', () => {
  expect(linesOf('vmcall_domain_info')).toEqual([
    `vmcall_domain_info{domain="${status.uuid}",name="a \\"b\\"\\\\\\n"} 1`,
  ]);
});
