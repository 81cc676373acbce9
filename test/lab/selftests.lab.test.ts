// SPDX-License-Identifier: Apache-2.0
import { beforeAll, describe, expect, test } from 'vitest';
import type { LabEvent } from '../../src/lab/events.js';
import { type Artifacts, buildNegativeControl, withSelftests } from '../../src/setup/artifacts.js';
import { prepareLab } from '../../src/setup/prepare.js';
import { stderrProgress } from '../../src/support/progress.js';
import { kernelDefect } from './kernel-defect.js';
import { casesOf, figure, programsOf, runSelftests as run } from './kernel-selftests.js';

const minutes = 60_000;
const progress = stderrProgress();
const rings = 1_000_000;
const operations = 100_000;
const fuzzSeed = 1;

/** What the series promises of a yield, and the case that holds it to it. */
const cases: Readonly<Record<string, readonly string[]>> = {
  'latch set before the call': ['latch_set_before_call'],
  'ring while blocked': ['ring_while_blocked'],
  'ring while running, with no exit and no IPI': ['ring_while_running'],
  timeout: ['timeout'],
  'masks, only those bits are cleared': ['masks'],
  'several doorbells': ['several_doorbells', 'vectors_that_are_no_doorbells'],
  'interrupt with IF=0 and IF=1': ['interrupt_with_if_clear', 'interrupt_with_if_set'],
  NMI: ['nmi'],
  'signal and re-entry': ['signal_and_reentry', 'immediate_exit_and_reentry'],
  'CPL3 refused unless allowed': ['cpl3_refused_unless_allowed', 'cpl3_interrupt', 'msr'],
  'KICK_CPU still refused at CPL3': ['cpl3_kick_cpu_refused'],
  'feature off': ['feature_off', 'cpuid_enforced'],
  'switch turned off mid-yield': ['switched_off_while_blocked', 'debugfs_switched_off_while_blocked'],
  'reset and INIT': ['init', 'reset_by_userspace', 'set_sregs_of_a_reset'],
  'registers and activity state': ['set_regs', 'sync_regs', 'set_mp_state', 'get_state'],
  'nested guest refused': ['nested_svm'],
  'vCPU removed': ['vcpu_removed', 'vm_destroyed_before_timeout'],
};
/** The emulated CPU is AMD's. */
const skipped = ['vcpu_yield.nested_vmx'];
const races = {
  'eventfd, single rings and bursts': ['eventfd_single', 'eventfd_bursts'],
  'timeouts meet doorbells': ['timeouts'],
  'two vCPUs and many doorbells': ['two_vcpus'],
  'routes rewritten while ringing': ['route_rewrite'],
  'irqfd deassigned while ringing': ['irqfd_reassign'],
  'switch thrown while ringing': ['switch_toggle'],
  'ringer preempted by another ringer': ['ringer_preempted'],
  'VM destroyed while a device rings': ['vm_destroyed'],
};

describe('kernel selftests of the series', () => {
  let artifacts: Artifacts;
  let events: LabEvent[];
  const find = (program: string, name: string) =>
    casesOf(events).find((event) => event.program === program && event.name === name);

  beforeAll(async () => {
    artifacts = await withSelftests(await prepareLab(progress, true), progress);
    events = await run(artifacts, progress, {
      vcpu_yield_test: [],
      vcpu_yield_race_test: ['-n', String(rings)],
      vcpu_yield_fuzz_test: ['-n', String(operations), '-s', String(fuzzSeed)],
    });
  }, 40 * minutes);

  test('ended well, whole, and left nothing behind in the kernel', () => {
    const programs = programsOf(events);
    expect(programs).toHaveLength(3);
    for (const { program, ended, incomplete, stderr, ...left } of programs) {
      expect({ program, ended, incomplete }, stderr.join('\n')).toEqual({
        program,
        ended: 0,
        incomplete: [],
      });
      expect({ program, vms: left.vmsLeft, uses: left.moduleUsesLeft }).toEqual({ program, vms: 0, uses: 0 });
      // A leak of 42 bytes for each of 100,000 operations; caches that warm up take less than 1 MiB.
      expect(left.slabGrowth, `${program}: KiB`).toBeLessThan(4096);
      expect(left.kernelLog.filter((line) => kernelDefect.test(line))).toEqual([]);
    }
  });

  test('skipped nothing but what this CPU cannot do', () => {
    const skips = casesOf(events).filter(({ outcome }) => outcome === 'skip');
    expect(skips.map(({ name }) => name)).toEqual(skipped);
  });

  test('failed nowhere', () => {
    const failed = casesOf(events).filter(({ outcome }) => outcome === 'fail');
    expect(failed.map(({ name, notes }) => `${name}: ${notes.join('; ')}`)).toEqual([]);
  });

  test.each(Object.entries(cases))('%s', (_what, names) => {
    for (const name of names)
      expect(find('vcpu_yield_test', `vcpu_yield.${name}`)?.outcome, name).toBe('pass');
  });

  test.each(Object.entries(races))('race: %s', (_what, names) => {
    for (const name of names) expect(find('vcpu_yield_race_test', name)?.outcome, name).toBe('pass');
  });

  test(`lost none of ${rings} rings by eventfd, and hit the window`, () => {
    const single = find('vcpu_yield_race_test', 'eventfd_single');
    const bursts = find('vcpu_yield_race_test', 'eventfd_bursts');
    expect(figure(single, 'rings') + figure(bursts, 'rings')).toBeGreaterThanOrEqual(rings);
    for (const event of [single, bursts]) {
      expect(figure(event, 'lost'), event?.name).toBe(0);
      expect(figure(event, 'taken'), event?.name).toBe(figure(event, 'latched'));
      expect(figure(event, 'at_once'), event?.name).toBeGreaterThan(0);
    }
    expect(figure(single, 'window')).toBeGreaterThan(0);
  });

  test(`went through ${operations} random operations`, () => {
    const event = find('vcpu_yield_fuzz_test', 'operations');
    expect(figure(event, 'operations')).toBe(operations);
    expect(figure(event, 'yields')).toBeGreaterThan(0);
    expect(figure(event, 'interrupted')).toBeGreaterThan(0);
  });

  test('lose wake-ups if the latch is taken away', { timeout: 20 * minutes }, async () => {
    const broken = await run(await buildNegativeControl(artifacts, progress), progress, {
      vcpu_yield_race_test: ['-n', '20000', '-t', 'eventfd_single', '-t', 'eventfd_bursts'],
    });
    for (const name of ['eventfd_single', 'eventfd_bursts']) {
      const event = casesOf(broken).find((found) => found.name === name);
      expect(event?.outcome, name).toBe('fail');
      expect(figure(event, 'lost'), name).toBeGreaterThan(0);
    }
  });
});
