// SPDX-License-Identifier: Apache-2.0
import { expect, test } from 'vitest';
import { parseLdd } from '../../../src/setup/vmx/libraries.js';

test('finds the libraries and the loader, and not what the kernel maps', () => {
  const told = `	linux-vdso.so.1 (0x00007ffc0b5d2000)
	libc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x00007f2d5b000000)
	/lib64/ld-linux-x86-64.so.2 (0x00007f2d5b3c2000)
`;
  expect(parseLdd(told)).toEqual(['/lib/x86_64-linux-gnu/libc.so.6', '/lib64/ld-linux-x86-64.so.2']);
});
