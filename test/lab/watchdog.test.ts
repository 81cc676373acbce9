// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from 'vitest';
import { Watchdog } from '../../src/lab/watchdog.js';

const vitals = { cpuSeconds: 0, realSeconds: 0, output: 0, console: '' };

describe('watchdog', () => {
  test('lets a slow but living run go on', () => {
    const watchdog = new Watchdog();
    for (let minute = 1; minute < 60; minute++)
      expect(
        watchdog.judge({ ...vitals, cpuSeconds: minute * 60, realSeconds: minute * 300, output: minute }),
      ).toBeUndefined();
  });

  test('ends a run that works without a sign of progress', () => {
    const watchdog = new Watchdog();
    expect(watchdog.judge({ ...vitals, cpuSeconds: 1, output: 5 })).toBeUndefined();
    expect(watchdog.judge({ ...vitals, cpuSeconds: 200, output: 5 })).toBeUndefined();
    expect(watchdog.judge({ ...vitals, cpuSeconds: 242, output: 5 })).toMatch(/no sign of progress/);
  });

  test('tolerates a host that is known to be slow', () => {
    const watchdog = new Watchdog(5);
    watchdog.judge({ ...vitals, cpuSeconds: 1, output: 5 });
    expect(watchdog.judge({ ...vitals, cpuSeconds: 1200, realSeconds: 4499, output: 5 })).toBeUndefined();
    expect(watchdog.judge({ ...vitals, cpuSeconds: 1202, output: 5 })).toMatch(
      /no sign of progress in 1200 s/,
    );
  });

  test('does not count time in which a busy machine ran something else', () => {
    const watchdog = new Watchdog();
    expect(watchdog.judge({ ...vitals, cpuSeconds: 1, realSeconds: 0, output: 5 })).toBeUndefined();
    expect(watchdog.judge({ ...vitals, cpuSeconds: 30, realSeconds: 500, output: 5 })).toBeUndefined();
  });

  test('ends a run whose CPUs all wait, which costs the emulator next to nothing', () => {
    const watchdog = new Watchdog();
    watchdog.judge({ ...vitals, cpuSeconds: 1, realSeconds: 0 });
    expect(watchdog.judge({ ...vitals, cpuSeconds: 80, realSeconds: 899 })).toBeUndefined();
    expect(watchdog.judge({ ...vitals, cpuSeconds: 81, realSeconds: 901 })).toMatch(/no sign of progress/);
  });

  test.each([
    ['kvm: user requested TSC rate below hardware speed', /TSC calibration was wrong/],
    ['tsc: Unable to calibrate against PIT', /TSC calibration failed/],
    ['Kernel panic - not syncing: Fatal exception', /panicked/],
    ['Oops: int3: 0000 [#1] PREEMPT_RT SMP', /the emulator ran code/],
    ['Oops: general protection fault: 0000 [#1] PREEMPT_RT SMP', /crashed/],
    ['rcu: INFO: rcu_preempt self-detected stall on CPU', /stalled/],
  ])('knows the sign "%s"', (line, meaning) => {
    expect(new Watchdog().judge({ ...vitals, console: `[ 1.0] ok\n[ 2.0] ${line}\n` })).toMatch(meaning);
  });

  test('is not alarmed by ordinary lines', () => {
    const console = 'kvm_intel: VMX not supported by CPU 0\ne1000e 0000:00:11.0 eth1: removed PHC\n';
    expect(new Watchdog().judge({ ...vitals, console })).toBeUndefined();
  });
});
