// SPDX-License-Identifier: Apache-2.0
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Command, Option } from 'commander';
import { whole } from '../cli/whole.js';
import type { LabEvent } from '../lab/events.js';
import type { LabRequest } from '../lab/request.js';
import type { Header } from '../lab/results/tables/header.js';
import { runLab } from '../lab/run.js';
import { defaultKernelSeries, type KernelSeries, kernelSeries } from '../setup/kernel-packages.js';
import { prepareLab } from '../setup/prepare.js';
import { resultsRoot } from '../support/paths.js';
import { stderrProgress } from '../support/progress.js';
import { projectVersion } from '../support/version.js';
import { freshOption } from './fresh-option.js';

/** Options of every command that runs the lab for one table. */
export interface TableOptions {
  json?: true;
  yes?: true;
  fresh?: true;
  kernel: KernelSeries;
  packets: number;
  interval: number;
  idleThreshold: number;
  seed: number;
  output: string;
}

export interface TableDefaults {
  packets: number;
  idleThreshold: number;
}

export function tableCommand(name: string, defaults: TableDefaults): Command {
  return new Command(name)
    .option('--json', 'print the table as a JSON document, and nothing else, on stdout')
    .addOption(freshOption)
    .option('--yes', 'install Debian packages without asking')
    .addOption(
      new Option('--kernel <series>', "Debian's RT kernel that host and guest run")
        .choices(kernelSeries)
        .default(defaultKernelSeries),
    )
    .option('--packets <n>', 'packets measured for each row', whole(1, 100_000), defaults.packets)
    .option('--interval <us>', 'time between packets, us', whole(20, 1_000_000), 350)
    .option(
      '--idle-threshold <us>',
      'the program waits after this long without a packet, us',
      whole(0, 1_000_000),
      defaults.idleThreshold,
    )
    .option('--seed <n>', 'seed of the traffic pattern', whole(0, 2 ** 31), 1)
    .option('--output <folder>', 'where the table and the consoles go', resultsRoot);
}

/** What makes one table: its scenario in the lab, its document, its text. */
export interface Table<Document> {
  name: string;
  /** What the scenario has beside the common options, and the words that repeat it. */
  scenario: Pick<LabRequest['scenario'], 'scenario'> & Partial<LabRequest['scenario']>;
  words?: readonly string[];
  starting: string;
  /** us; where rounds of their own tell who had the CPU. */
  cpuIdleThreshold?: number;
  assemble(events: readonly LabEvent[], header: Header): Document;
  render(document: Document): string;
}

/** Runs the lab for a table, keeps the document beside the consoles, prints it. */
export async function printTable<Document>(options: TableOptions, table: Table<Document>): Promise<void> {
  const { kernel, packets, interval, idleThreshold, seed } = options;
  const progress = stderrProgress();
  const artifacts = await prepareLab(progress, options.yes === true, kernel);
  const made = new Date().toISOString();
  const folder = join(options.output, `${made.replaceAll(/[:.]/g, '-')}-${process.pid}`);
  await mkdir(folder, { recursive: true });
  progress.step(table.starting);
  const run = await runLab({
    artifacts,
    clock: 'instruction',
    folder,
    scenario: { packets, rounds: 1, interval, idleThreshold, seed, ...table.scenario },
    progress,
    ...(options.fresh && { fresh: true }),
  });
  const facts = run.events.find((event) => event.type === 'platform')?.facts ?? {};
  const document = table.assemble(run.events, {
    made,
    made_by: { name: 'vmcall', version: projectVersion },
    clock: run.clock,
    retries: run.failures.length,
    failed_attempts: run.failures,
    platform: { ...facts, emulator: run.qemu.join(' '), began: run.began },
    traffic: {
      packets,
      interval_us: interval,
      idle_threshold_us: idleThreshold,
      cpu_idle_threshold_us: table.cpuIdleThreshold ?? null,
      seed,
    },
    repeat: [
      ...['npm', 'run', table.name, '--', ...(table.words ?? [])],
      ...['--kernel', kernel, '--packets', packets, '--interval', interval],
      ...['--idle-threshold', idleThreshold, '--seed', seed],
    ].join(' '),
  });
  const text = `${JSON.stringify(document, null, 2)}\n`;
  const file = join(folder, `${table.name}.json`);
  await writeFile(file, text);
  process.stdout.write(options.json ? text : `${table.render(document)}\n\nThe document: ${file}\n`);
}
