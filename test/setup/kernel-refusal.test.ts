// SPDX-License-Identifier: Apache-2.0
import { expect, test } from 'vitest';
import { refusedElsewhere } from '../../src/setup/kernel-refusal.js';
import { supported } from '../../src/setup/supported.js';

const { distributions } = supported;
const release = (version: string) => distributions.find((each) => each.version === version);
const refused = (series: string, version: string) =>
  refusedElsewhere(series, release(version), distributions, `Debian ${version}`);

test("a kernel of another release's backports is refused, with the command that runs it there", () => {
  const error = refused('7.3', '12');
  expect(error?.code).toBe('SETUP_KERNEL_ELSEWHERE');
  expect(error?.message).toContain('cannot be built on Debian 12');
  expect(error?.cure).toContain('npm run debian -- 13 npm start -- --kernel 7.3');
});

test.each([
  ['7.3', '13'],
  ['6.12', '12'],
  ['6.1', '13'],
])('%s on Debian %s is not refused by that', (series, version) => {
  expect(refused(series, version)).toBeUndefined();
});
