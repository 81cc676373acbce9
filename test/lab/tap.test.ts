// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from 'vitest';
import { parseTap } from '../../src/lab/tap.js';

describe("reading a kernel selftest's TAP", () => {
  test('gives each case its outcome and what was printed before it', () => {
    const { cases, incomplete } = parseTap(
      [
        'TAP version 13',
        '1..3',
        '#  RUN           yield.latch ...',
        '#            OK  yield.latch',
        'ok 1 yield.latch',
        'ok 2 yield.nested_vmx # SKIP the CPU has no VMX',
        '==== Test Assertion Failure ====',
        '  x86_64/a.c:12: ret == 1',
        'not ok 3 yield.mask',
        '# Totals: pass:1 fail:1 xfail:0 xpass:0 skip:1 error:0',
        '',
      ].join('\n'),
    );
    expect(cases.map(({ name, outcome }) => [name, outcome])).toEqual([
      ['yield.latch', 'pass'],
      ['yield.nested_vmx', 'skip'],
      ['yield.mask', 'fail'],
    ]);
    expect(cases[2]?.notes.join('\n')).toMatch(/a\.c:12: ret == 1/);
    expect(incomplete).toEqual([]);
  });

  test('names a case that is skipped without a name, as the harness of 6.1 does', () => {
    const { cases } = parseTap(
      [
        'TAP version 13',
        '1..2',
        '#  RUN           yield.nested_svm ...',
        '#            OK  yield.nested_svm',
        'ok 1 yield.nested_svm',
        '#  RUN           yield.nested_vmx ...',
        '#            OK  yield.nested_vmx',
        'ok 2 # SKIP no nested VMX',
        '',
      ].join('\n'),
    );
    expect(cases.map(({ name, outcome }) => [name, outcome])).toEqual([
      ['yield.nested_svm', 'pass'],
      ['yield.nested_vmx', 'skip'],
    ]);
  });

  test.each([
    ['cut off after the plan', 'TAP version 13\n1..2\nok 1 a\n'],
    ['without a plan', 'TAP version 13\nok 1 a\n'],
    ['empty', ''],
  ])('says that an output is incomplete: %s', (_what, text) => {
    expect(parseTap(text).incomplete).not.toEqual([]);
  });
});
