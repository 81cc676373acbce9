// SPDX-License-Identifier: Apache-2.0
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import type { LabEvent } from '../../../src/lab/events.js';
import { kernelDefect } from '../../../src/lab/kernel-log.js';
import type { LabRequest } from '../../../src/lab/request.js';
import { runLab } from '../../../src/lab/run.js';
import { type Artifacts, withDebugKernel, withSelftests } from '../../../src/setup/artifacts.js';
import { prepareLab } from '../../../src/setup/prepare.js';
import { stderrProgress } from '../../../src/support/progress.js';

const minutes = 60_000;
const progress = stderrProgress();
/** Fewer than without the checks, which make the kernel several times slower. */
const rings = 20_000;
const operations = 10_000;
/**
 * What L1's /init logs before it loads the first module (src/lab/host/init.sh). Before it no line of ours has run, and
 * the kernel has a finding about itself, with rcu_nocbs= on PREEMPT_RT: "suspicious RCU usage, Unsafe read of RCU_NOCB
 * offloaded state!" in rcu_core().
 */
const modulesLoad = 'lab: loading modules';
/** It tells of its first finding only, so that one before hides ours. */
const tellsOnce = /KASAN/;

/** On a host kernel with PROVE_LOCKING, DEBUG_ATOMIC_SLEEP, KASAN and DEBUG_OBJECTS. */
describe("under the kernel's own checks", () => {
  let artifacts: Artifacts;

  beforeAll(async () => {
    artifacts = await withDebugKernel(
      await withSelftests(await prepareLab(progress, true), progress),
      progress,
    );
  }, 60 * minutes);

  async function run(scenario: Partial<LabRequest['scenario']>): Promise<LabEvent[]> {
    const { events } = await runLab({
      artifacts,
      clock: 'realtime',
      folder: await mkdtemp(join(tmpdir(), 'vmcall-debug-kernel-')),
      scenario: {
        scenario: 'selftests',
        packets: 600,
        rounds: 1,
        interval: 350,
        idleThreshold: 300,
        seed: 1,
        ...scenario,
      },
      progress,
    });
    return events;
  }

  function expectNoDefect(events: LabEvent[]): void {
    const log = events.find((event) => event.type === 'kernel-log');
    const lines = log?.lines ?? [];
    const ours = lines.findIndex((line) => line.endsWith(modulesLoad));
    expect(ours, 'the log is whole').toBeGreaterThanOrEqual(0);
    expect(lines.slice(0, ours).filter((line) => tellsOnce.test(line))).toEqual([]);
    expect(lines.slice(ours).filter((line) => kernelDefect.test(line))).toEqual([]);
    expect(log?.lockdep, 'the lock validator is there, and found nothing').toBe(true);
  }

  test('the selftests pass, and leave nothing in the log', { timeout: 60 * minutes }, async () => {
    const programs = {
      vcpu_yield_test: [],
      vcpu_yield_race_test: ['-n', String(rings)],
      vcpu_yield_fuzz_test: ['-n', String(operations), '-s', '1'],
    };
    const events = await run({
      testPrograms: Object.entries(programs).map(([program, words]) => ({ program, arguments: words })),
    });
    const cases = events.filter((event) => event.type === 'test-case');
    expect(cases.filter(({ outcome }) => outcome === 'fail')).toEqual([]);
    expect(cases.filter(({ outcome }) => outcome === 'pass').length).toBeGreaterThan(40);
    expect(events.filter((event) => event.type === 'test-program').map(({ ended }) => ended)).toEqual([
      0, 0, 0,
    ]);
    expectNoDefect(events);
  });

  test('packets reach the guest on both paths, and leave nothing in the log', {
    timeout: 60 * minutes,
  }, async () => {
    const events = await run({ scenario: 'lost-wakeups', rightProgramOnly: true });
    const wakeups = events.filter((event) => event.type === 'wakeups');
    expect(wakeups.map(({ policy }) => policy)).toEqual(['interrupt', 'vmcall']);
    for (const { policy, sent, received } of wakeups) {
      expect(sent, policy).toBeGreaterThan(24);
      expect(received, policy).toBe(sent);
    }
    expectNoDefect(events);
  });
});
