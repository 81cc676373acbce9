// SPDX-License-Identifier: Apache-2.0
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { FileHost } from '../../../host-agent/host/host.js';
import { SystemCommands } from '../../../host-agent/host/host-commands.js';
import { readGuestTsc, toGuestTsc } from '../../../host-agent/wake-times/guest-tsc.js';

/** KVM's debugfs of a VM, vCPU by vCPU. */
function vm(...vcpus: Record<string, string>[]) {
  const root = mkdtempSync(join(tmpdir(), 'vmcall-tsc-'));
  for (const [vcpu, files] of vcpus.entries()) {
    mkdirSync(`${root}/vm/vcpu${vcpu}`, { recursive: true });
    for (const [name, text] of Object.entries(files))
      writeFileSync(`${root}/vm/vcpu${vcpu}/${name}`, `${text}\n`);
  }
  return () => readGuestTsc(new FileHost(root, new SystemCommands()), '/vm');
}

test('a TSC with an offset alone: a host started before its guest', () => {
  const guest = vm({ 'tsc-offset': '-9007199254740993' }, { 'tsc-offset': '-9007199254740993' })();
  expect(toGuestTsc(9_007_199_254_741_000n, guest)).toBe(7n);
});

test('a TSC that is scaled: half as fast, with 48 bits of fraction', () => {
  const files = {
    'tsc-offset': '1000',
    'tsc-scaling-ratio': String(2n ** 47n),
    'tsc-scaling-ratio-frac-bits': '48',
  };
  expect(toGuestTsc(10_000_001n, vm(files)())).toBe(5_001_000n);
});

test('wraps as the register does', () => {
  expect(toGuestTsc(5n, vm({ 'tsc-offset': '-6' })())).toBe(2n ** 64n - 1n);
});

test.each([
  ['no vCPU', vm()],
  ['no offset', vm({})],
  ['vCPUs with different ones', vm({ 'tsc-offset': '1' }, { 'tsc-offset': '2' })],
  ['no number', vm({ 'tsc-offset': 'many' })],
])('refuses %s', (_what, read) => {
  expect(read).toThrow(expect.objectContaining({ code: 'GUEST_TSC' }));
});
