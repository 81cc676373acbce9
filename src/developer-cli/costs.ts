// SPDX-License-Identifier: Apache-2.0
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command, Option } from 'commander';
import { measureCosts } from '../lab/costs/measure.js';
import { type CostReport, untouchedLimit } from '../lab/costs/summary.js';
import { align } from '../results/table.js';
import { defaultKernelSeries, type KernelSeries, kernelSeries } from '../setup/kernel-packages.js';
import { prepareLab } from '../setup/prepare.js';
import { stderrProgress } from '../support/progress.js';

interface CostsOptions {
  json?: true;
  yes?: true;
  kernel: KernelSeries;
}

/** `vmcall costs`: what the series costs KVM's other paths, and where the VM call's time goes. */
export function costsCommand(): Command {
  return new Command('costs')
    .option('--json', 'print the report as JSON, and nothing else, on stdout')
    .option('--yes', 'install Debian packages without asking')
    .addOption(
      new Option('--kernel <series>', "Debian's RT kernel that host and guest run")
        .choices(kernelSeries)
        .default(defaultKernelSeries),
    )
    .action(async ({ json, yes, kernel }: CostsOptions) => {
      const progress = stderrProgress();
      const artifacts = await prepareLab(progress, yes === true, kernel);
      const folder = await mkdtemp(join(tmpdir(), 'vmcall-costs-'));
      const report = await measureCosts(artifacts, folder, progress);
      process.stdout.write(`${json ? JSON.stringify(report, null, 2) : renderCosts(report)}\n`);
    });
}

const both = (figures: { min: number; median: number } | null) =>
  figures ? `${figures.min} / ${figures.median}` : '-';

/** The report as a person reads it. */
export function renderCosts(report: CostReport): string {
  const { untouched, wakes, device_to_program: way } = report;
  const signed = (value: number) => (value > 0 ? `+${value}` : String(value));
  return [
    `Linux ${report.kernel}. Instructions, minimum / median of ${report.rounds}; VMRUN and #VMEXIT count one each.`,
    '',
    align([
      [`Untouched paths (at most ${untouchedLimit} more)`, 'unpatched', 'patched', 'added'],
      ...untouched.map(({ title, unpatched, patched, added }) => [
        title,
        both(unpatched),
        both(patched),
        `${signed(added.min)} / ${signed(added.median)}`,
      ]),
    ]),
    '',
    align([
      ['Trigger to guest, a guest without a kernel', 'unpatched', 'patched', 'of it to the doorbell'],
      ...wakes.map(({ path, unpatched, patched, ring }) => [
        path,
        both(unpatched),
        both(patched),
        both(ring),
      ]),
    ]),
    '',
    align([
      ['VM call, device to program in a Linux guest, from a busy CPU', 'median'],
      ...way.stages.map(({ name, median }) => [`  ${name}`, String(median)]),
      ['device to program', String(way.total)],
      ['  doorbell rung to the program, from an idle CPU', String(way.ring_to_program_from_idle)],
    ]),
    ...(report.retries > 0 ? ['', `${report.retries} attempt(s) failed before.`] : []),
  ].join('\n');
}
