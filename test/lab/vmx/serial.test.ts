// SPDX-License-Identifier: Apache-2.0
import { expect, test } from 'vitest';
import { planText } from '../../../src/lab/vmx/plan.js';
import { parseSerial } from '../../../src/lab/vmx/serial.js';

const said = `
@@ release 6.12.117+deb12-rt-amd64\r
@@ refused insmod kvm_intel.ko\r
@@ begin no APICv\r
TAP version 13\r
1..2\r
ok 1 vcpu_yield.timeout\r
# interrupts came late\r
not ok 2 vcpu_yield.masks\r
@@ kernel <4>[   12.3] WARNING: CPU: 0\r
@@ end 1 no APICv\r
@@ begin fuzz\r
TAP version 13\r
1..1\r
`;

test('reads what each step did, and where the machine stopped', () => {
  const log = parseSerial(said);
  expect(log).toMatchObject({
    release: '6.12.117+deb12-rt-amd64',
    refused: ['insmod kvm_intel.ko'],
    done: false,
  });
  expect(log.steps).toMatchObject([
    {
      name: 'no APICv',
      ended: 1,
      kernelLog: ['<4>[   12.3] WARNING: CPU: 0'],
      cases: [
        { name: 'vcpu_yield.timeout', outcome: 'pass' },
        { name: 'vcpu_yield.masks', outcome: 'fail', notes: ['interrupts came late'] },
      ],
      incomplete: [],
    },
    { name: 'fuzz', ended: undefined, cases: [] },
  ]);
  expect(log.steps[1]?.incomplete).not.toEqual([]);
});

test('knows an end', () => {
  expect(parseSerial('@@ begin a\n@@ end 0 a\n@@ done\n').done).toBe(true);
});

test('tells the machine what to load and run, word by word', () => {
  expect(
    planText([
      { name: 'no EPT', modules: 'series', parameters: 'ept=0', command: ['test', '-n', "it's"] },
      { name: 'next', command: ['grep', ''], limit: 7 },
    ]),
  ).toBe("load series ept=0\nrun 'no EPT' 3600 test -n 'it'\\''s'\nrun next 7 grep ''\n");
});
