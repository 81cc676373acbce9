// SPDX-License-Identifier: Apache-2.0
import { expect, test } from 'vitest';
import type { Host } from '../../../host-agent/host/host.js';
import { checkGuest, isKvmGuest, pathOfHost } from '../../../host-agent/tuning/checks/path.js';

/** A host that has these files. */
const having = (files: Record<string, string>) =>
  ({
    exists: (path: string) => Object.keys(files).some((file) => file === path || file.startsWith(`${path}/`)),
    read: (path: string) => files[path] ?? null,
  }) as unknown as Host;

const clocks = '/sys/devices/system/clocksource/clocksource0/available_clocksource';
const series = '/sys/module/kvm/parameters/irqfd_hardirq_max';
const yields = '/sys/class/misc/vmcall/host_yield';

test.each([
  [{ [series]: '1', '/dev/kvm': '' }, 'ok', 'vmcall'],
  [{ '/dev/kvm': '' }, 'ok', 'pv-kick'],
  [{}, 'warn', 'hard handler'],
])('of a host with %j', (files, severity, word) => {
  const found = pathOfHost(having(files as Record<string, string>));
  expect(found).toMatchObject({ code: 'path', severity });
  expect(found.read).toContain(word);
});

test('in a guest, by what the guest driver tells', () => {
  expect(isKvmGuest(having({ [clocks]: 'kvm-clock tsc acpi_pm' }))).toBe(true);
  expect(isKvmGuest(having({ [clocks]: 'tsc hpet' }))).toBe(false);
  expect(checkGuest(having({}))).toMatchObject([{ code: 'guest-driver', severity: 'fail' }]);
  expect(checkGuest(having({ [yields]: '1\n' }))[1]?.read).toContain('vmcall');
  expect(checkGuest(having({ [yields]: '0\n' }))[1]?.read).toContain('pv-kick');
});
