// SPDX-License-Identifier: Apache-2.0
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { kernelDefect } from '../../src/lab/kernel-log.js';
import { type VmxStep, variants } from '../../src/lab/vmx/plan.js';
import { runVmx } from '../../src/lab/vmx/run.js';
import type { SerialLog, VmxStepRun } from '../../src/lab/vmx/serial.js';
import { ensureDebianPackages } from '../../src/setup/debian-packages.js';
import { kernelPackages } from '../../src/setup/kernel-packages.js';
import { buildVmxArtifacts, guestCommand, type VmxArtifacts } from '../../src/setup/vmx/artifacts.js';
import { type Bochs, buildBochs } from '../../src/setup/vmx/bochs.js';
import { stderrProgress } from '../../src/support/progress.js';
import { kernelsTested } from './kernels.js';
import { cases, races } from './real-time/selftest-cases.js';

const minutes = 60_000;
const progress = stderrProgress();
const rings = 10_000;
const operations = 5000;
const ringsWithoutLatch = 12_000;
const waits = 50;
const upstreamLimit = 120;

const selftest = 'vcpu_yield_test';
/** The CPU is Intel's. */
const skipped = ['vcpu_yield.nested_svm'];
/** These need what a posted interrupt does to a vCPU that yields with interrupts off. */
const needClause = ['vcpu_yield.interrupt_that_comes_late', 'vcpu_yield.fixed_ipi_with_if_clear'];
/** The emulator dies of it, on Debian's own modules too. */
const breaksEmulator = ['state_test'];

const racing = (count: number, names: readonly string[]) => [
  ...['vcpu_yield_race_test', '-n', String(count)],
  ...names.flatMap((name) => ['-t', name]),
];

const plans = {
  series: [
    ...Object.entries(variants).map(
      ([name, parameters]): VmxStep => ({ name, modules: 'series', parameters, command: [selftest] }),
    ),
    { name: 'races', modules: 'series', command: racing(rings, Object.values(races).flat()) },
    { name: 'fuzz', command: ['vcpu_yield_fuzz_test', '-n', String(operations), '-s', '1'] },
  ],
  broken: [
    { name: 'no latch', modules: 'no-latch', command: racing(ringsWithoutLatch, ['eventfd_single']) },
    { name: 'posting', modules: 'posting', parameters: 'lab_post_like_vtd=1', command: [selftest] },
    { name: 'posted', command: ['grep', '', '/sys/module/kvm_intel/parameters/lab_woken'] },
    {
      name: 'posting without the clause',
      modules: 'posting',
      parameters: 'lab_post_like_vtd=1 lab_no_yield_clause=1',
      command: [selftest],
    },
  ],
  guest: [{ name: 'Linux guest', modules: 'series', command: guestCommand, limit: 600 }],
} satisfies Record<string, VmxStep[]>;

const outcomes = (step: VmxStepRun, outcome: string) =>
  step.cases.filter((each) => each.outcome === outcome).map(({ name }) => name);

describe.each(kernelsTested)('on an emulated Intel CPU, %s', (series) => {
  let bochs: Bochs;
  let artifacts: VmxArtifacts;

  beforeAll(async () => {
    await ensureDebianPackages(progress, true);
    await ensureDebianPackages(progress, true, 'vmx');
    bochs = await buildBochs(progress);
    artifacts = await buildVmxArtifacts(await kernelPackages(series, progress), progress);
  }, 120 * minutes);

  async function run(steps: readonly VmxStep[], more: readonly string[] = []): Promise<SerialLog> {
    const folder = await mkdtemp(join(tmpdir(), 'vmcall-vmx-'));
    const { kernel, base } = artifacts;
    const log = await runVmx({
      bochs,
      steps,
      folder,
      progress,
      kernel: kernel.vmlinuz,
      initramfs: [base, ...more],
    });
    expect(log.release).toBe(kernel.release);
    expect(log.refused).toEqual([]);
    for (const step of log.steps.filter(({ cases }) => cases.length > 0))
      progress.step(
        `${step.name}: ${['pass', 'fail', 'skip'].map((outcome) => `${outcomes(step, outcome).length} ${outcome}`).join(', ')}`,
      );
    return log;
  }

  function stepOf(log: SerialLog, name: string): VmxStepRun {
    const found = log.steps.find((step) => step.name === name);
    if (!found) throw new Error(`no step ${name}`);
    return found;
  }

  function expectAllPass(step: VmxStepRun): void {
    const failures = step.cases.filter(({ outcome }) => outcome === 'fail');
    expect(failures.map(({ name, notes }) => `${name}: ${notes.join('; ')}`)).toEqual([]);
    expect({ ended: step.ended, incomplete: step.incomplete }).toEqual({ ended: 0, incomplete: [] });
    expect(step.kernelLog.filter((line) => kernelDefect.test(line))).toEqual([]);
  }

  describe('the series', () => {
    let log: SerialLog;
    beforeAll(async () => {
      log = await run(plans.series);
    }, 240 * minutes);

    test.each(Object.keys(variants))('selftests: %s', (name) => {
      const step = stepOf(log, name);
      expectAllPass(step);
      const wanted = Object.values(cases)
        .flat()
        .map((each) => `vcpu_yield.${each}`)
        .filter((each) => !skipped.includes(each));
      expect(outcomes(step, 'pass')).toEqual(expect.arrayContaining([...wanted, 'vcpu_yield.nested_vmx']));
      expect(outcomes(step, 'skip')).toEqual(skipped);
    });

    test(`races: none of ${rings} rings lost`, () => {
      const step = stepOf(log, 'races');
      expectAllPass(step);
      expect(outcomes(step, 'pass')).toEqual(expect.arrayContaining(Object.values(races).flat()));
      expect(step.output.join('\n')).not.toMatch(/lost=[1-9]/);
    });

    test(`fuzz: ${operations} random operations`, () => {
      const step = stepOf(log, 'fuzz');
      expectAllPass(step);
      expect(step.output.join('\n')).toContain(`operations=${operations}`);
    });
  });

  describe('what is broken on purpose is found', () => {
    let log: SerialLog;
    beforeAll(async () => {
      log = await run(plans.broken);
    }, 240 * minutes);

    test('without the latch rings are lost', () => {
      const step = stepOf(log, 'no latch');
      expect(outcomes(step, 'fail')).toContain('eventfd_single');
      expect(step.output.join('\n')).toMatch(/lost=[1-9]/);
    });

    test('interrupts posted as VT-d would end a yield with interrupts off', () => {
      expectAllPass(stepOf(log, 'posting'));
      expect(Number(stepOf(log, 'posted').output[0])).toBeGreaterThan(0);
    });

    test('but not without the clause of vmx_vcpu_pi_put()', () => {
      const failed = outcomes(stepOf(log, 'posting without the clause'), 'fail');
      expect(failed).toEqual(expect.arrayContaining(needClause));
    });
  });

  test('a Linux guest yields from user space', { timeout: 120 * minutes }, async () => {
    const log = await run(plans.guest, [artifacts.guest]);
    const step = stepOf(log, 'Linux guest');
    expectAllPass(step);
    const said = step.output.join('\n');
    expect(said).toContain(`waits=${waits} rung=${waits} timeouts=0 errors=0`);
    expect(Number(/vcpu_yields=(\d+)/.exec(said)?.[1])).toBeGreaterThanOrEqual(waits);
    expect(Number(/vcpu_yield_doorbell=(\d+)/.exec(said)?.[1])).toBeGreaterThan(0);
  });

  test("the kernel's own selftests: none that passes on Debian's modules fails on those of the series", {
    timeout: 240 * minutes,
  }, async () => {
    const programs = artifacts.upstreamPrograms.filter((name) => !breaksEmulator.includes(name));
    const on = async (modules: 'stock' | 'series') => {
      const steps = programs.map((name, index): VmxStep => {
        const load = index === 0 ? { modules } : {};
        return { name, ...load, command: [name], limit: upstreamLimit };
      });
      const { steps: runs } = await run(steps, [artifacts.upstream]);
      return runs.filter(({ ended }) => ended === 0).map(({ name }) => name);
    };
    const stock = await on('stock');
    progress.step(`${stock.length} of ${programs.length} pass on Debian's own modules`);
    expect(stock.length).toBeGreaterThan(20);
    expect(await on('series')).toEqual(expect.arrayContaining(stock));
  });
});
