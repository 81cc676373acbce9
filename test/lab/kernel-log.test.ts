// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from 'vitest';
import { kernelDefect, unexpectedLines } from '../../src/lab/kernel-log.js';

/** Of a run on Debian 12's 6.12.117 RT kernel, abridged. */
const log = [
  '[    0.593647] mtrr: your CPUs had inconsistent fixed MTRR settings',
  '[    2.221545] lab: loading modules',
  '[    3.469603] irqbypass: loading out-of-tree module taints kernel.',
  '[    4.001378] kvm: RT requires X86_FEATURE_CONSTANT_TSC, going on for the lab',
  '[    4.033079] kvm_intel: VMX not supported by CPU 0',
  "[    4.040000] kvm: already loaded vendor module 'kvm_amd'",
  '[    4.050000] RT requires X86_FEATURE_CONSTANT_TSC, going on for the lab',
  '[   14.338162] Fair server disabled in CPU 1, system may crash due to starvation.',
  '[   31.000000] kvm [232]: vcpu0, guest rIP: 0xffffffff81081844 Unhandled WRMSR(0xc0010007) = 0xffff',
  '[   35.431206] kvm: kvm [281]: vcpu0, guest rIP: 0xffffffff8109e438 Unhandled WRMSR(0xc0010007) = 0xffff',
];
const splat = [
  '[   14.337634] ------------[ cut here ]------------',
  '[   14.337637] dl_rq->running_bw > old',
  '[   14.337649] WARNING: CPU: 0 PID: 190 at kernel/sched/deadline.c:265 task_non_contending+0x410/0x4d0',
];

describe("L1's kernel log", () => {
  test('with what belongs to the lab alone holds nothing unexpected', () => {
    expect(unexpectedLines(log)).toEqual([]);
    expect(unexpectedLines([])).toEqual([]);
  });

  test('with a warning that nobody expects is reported in its own words', () => {
    const found = unexpectedLines([...log.slice(0, 7), ...splat, ...log.slice(7)]);
    expect(found).toEqual(splat);
    expect(found.some((line) => kernelDefect.test(line))).toBe(true);
  });

  test('whose beginning was cut off is judged whole', () => {
    expect(unexpectedLines([...log.slice(2), '[  40.0] something else'])).toEqual([
      '[  40.0] something else',
    ]);
  });
});
