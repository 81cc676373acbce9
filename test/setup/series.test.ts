// SPDX-License-Identifier: Apache-2.0
import { basename } from 'node:path';
import { expect, test } from 'vitest';
import { changesCode, patchesOf, patchesOfCode } from '../../src/setup/series.js';

const patch = (...files: string[]) =>
  files.map((file) => `--- a/${file}\n+++ b/${file}\n@@ -1 +1 @@\n-a\n+b\n`).join('');

test('documentation and selftests alone are no reason to build the modules once more', () => {
  expect(changesCode(patch('Documentation/virt/kvm/api.rst', 'tools/testing/selftests/kvm/Makefile'))).toBe(
    false,
  );
  expect(changesCode(patch('Documentation/virt/kvm/api.rst', 'virt/kvm/eventfd.c'))).toBe(true);
  // A file that is new, and one that goes.
  expect(changesCode('--- /dev/null\n+++ b/arch/x86/kvm/doorbell.c\n')).toBe(true);
  expect(changesCode('--- a/arch/x86/kvm/doorbell.c\n+++ /dev/null\n')).toBe(true);
});

test.each(['6.12', '6.1'])(
  'the modules of %s are made from the patches before documentation and selftests',
  async (series) => {
    const all = (await patchesOf(series)).map((file) => basename(file));
    const code = (await patchesOfCode(series)).map((file) => basename(file));
    expect(code).toEqual(all.filter((file) => !/-(?:Documentation|KVM-selftests)-/.test(file)));
    expect(code.length).toBeGreaterThan(0);
  },
);
