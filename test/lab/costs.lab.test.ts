// SPDX-License-Identifier: Apache-2.0
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { measureCosts } from '../../src/lab/costs/measure.js';
import { type CostReport, untouchedLimit } from '../../src/lab/costs/summary.js';
import { prepareLab } from '../../src/setup/prepare.js';
import { stderrProgress } from '../../src/support/progress.js';

const minutes = 60_000;
/** Instructions from the device to the program. */
const wayLimit = 4500;

/** Instructions, not time: they are the same in each run, on any machine. */
describe('what the series costs', () => {
  let report: CostReport;

  beforeAll(async () => {
    const progress = stderrProgress();
    const folder = await mkdtemp(join(tmpdir(), 'vmcall-costs-'));
    report = await measureCosts(await prepareLab(progress, true), folder, progress);
  }, 30 * minutes);

  test(`adds at most ${untouchedLimit} instructions to the paths it does not mean to change`, () => {
    expect(report.untouched).toHaveLength(6);
    for (const { title, added } of report.untouched) {
      expect(added.min, title).toBeLessThanOrEqual(untouchedLimit);
      expect(added.median, title).toBeLessThanOrEqual(untouchedLimit);
    }
  });

  test('leaves ordinary interrupts of a device no slower, and makes them faster in hard IRQ context', () => {
    const wake = (name: string) => report.wakes.find(({ path }) => path === name);
    const before = wake('device-interrupt')?.unpatched?.median ?? 0;
    expect(wake('device-interrupt')?.patched?.median).toBeLessThanOrEqual(before + untouchedLimit);
    expect(wake('device-interrupt-hardirq')?.patched?.median).toBeLessThan(before);
  });

  test('vmcall probe finds what each host has, and the PV kick and the doorbell faster than a vector', () => {
    const p50 = (host: 'unpatched' | 'patched', name: string) =>
      report.probes[host].paths.find((path) => path.name === name)?.latency_ns.p50 ?? Number.NaN;
    expect(p50('unpatched', 'vmcall')).toBeNaN();
    for (const host of ['unpatched', 'patched'] as const)
      expect(p50(host, 'pv-kick'), host).toBeLessThan(p50(host, 'injected'));
    expect(p50('patched', 'vmcall')).toBeLessThan(p50('patched', 'injected'));
  });

  test(`takes at most ${wayLimit} instructions from the device to the program`, () => {
    const { stages, total } = report.device_to_program;
    expect(total).toBeLessThanOrEqual(wayLimit);
    expect(stages.reduce((sum, { median }) => sum + median, 0)).toBeCloseTo(total, -1);
    for (const { name, median } of stages) expect(median, name).toBeGreaterThan(0);
  });
});
