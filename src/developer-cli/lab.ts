// SPDX-License-Identifier: Apache-2.0
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Command, Option } from 'commander';
import { exitCodeOf, stopBySignal } from '../cli/stop-by-signal.js';
import { whole } from '../cli/whole.js';
import { assembleResult } from '../lab/results/assemble.js';
import { runLab } from '../lab/run.js';
import { saveResult } from '../results/save.js';
import { renderResult } from '../results/table.js';
import { buildUnpatched } from '../setup/artifacts.js';
import { defaultKernelSeries, type KernelSeries, kernelSeries } from '../setup/kernel-packages.js';
import { prepareLab } from '../setup/prepare.js';
import { VmcallError } from '../support/errors.js';
import { resultsRoot } from '../support/paths.js';
import { stderrProgress } from '../support/progress.js';
import { freshOption } from './fresh-option.js';

interface LabOptions {
  json?: true;
  yes?: true;
  fresh?: true;
  kernel: KernelSeries;
  host: (typeof hosts)[number];
  packets: number;
  rounds: number;
  interval: number;
  idleThreshold: number;
  seed: number;
  output: string;
}

/** The modules of the emulated host: with the series, or the distribution's own. */
const hosts = ['patched', 'unpatched'] as const;

/** `vmcall lab`: the whole system on this one machine, and the comparison of the paths at its end. */
export function labCommand(): Command {
  return new Command('lab')
    .option('--json', 'print the result document, and nothing else, on stdout')
    .addOption(freshOption)
    .option('--yes', 'install Debian packages without asking')
    .addOption(
      new Option('--kernel <series>', "Debian's RT kernel that host and guest run")
        .choices(kernelSeries)
        .default(defaultKernelSeries),
    )
    .addOption(
      new Option('--host <modules>', "KVM and VFIO of the host: with the series, or the distribution's own")
        .choices(hosts)
        .default('patched'),
    )
    .option('--packets <n>', 'packets measured on each path', whole(1, 100_000), 1000)
    .option('--rounds <n>', 'rounds they are split into; the paths take turns', whole(1, 100), 2)
    .option('--interval <us>', 'time between packets, us', whole(20, 1_000_000), 350)
    .option(
      '--idle-threshold <us>',
      'the program waits after this long without a packet, us',
      whole(0, 1_000_000),
      300,
    )
    .option('--seed <n>', 'seed of the traffic pattern', whole(0, 2 ** 31), 1)
    .option('--output <folder>', 'where the result and the consoles go', resultsRoot)
    .action(lab);
}

async function lab(options: LabOptions): Promise<void> {
  const progress = stderrProgress();
  const isStock = options.host === 'unpatched';
  const patched = await prepareLab(progress, options.yes === true, options.kernel);
  const artifacts = isStock ? await buildUnpatched(patched, progress) : patched;
  const made = new Date().toISOString();
  const folder = join(options.output, `${made.replaceAll(/[:.]/g, '-')}-${process.pid}`);
  await mkdir(folder, { recursive: true });
  const { packets, rounds, interval, idleThreshold, seed } = options;
  const stop = stopBySignal(progress);
  progress.step('starting the lab: an RT host, its guest, a passed-through NIC');
  const run = await runLab({
    artifacts,
    clock: 'instruction',
    folder,
    scenario: { scenario: 'compare', packets, rounds, interval, idleThreshold, seed },
    progress,
    signal: stop.signal,
    ...(options.fresh && { fresh: true }),
  });
  const ended = stop.by();
  if (ended && !run.events.some((event) => event.type === 'round'))
    throw new VmcallError(
      'INTERRUPTED',
      `ended by ${ended} before anything was measured`,
      `The consoles are in ${folder}`,
      exitCodeOf(ended),
    );
  const facts = run.events.find((event) => event.type === 'platform')?.facts ?? {};
  const result = assembleResult(
    run.events,
    {
      made,
      clock: run.clock,
      ...(ended && run.done < 1 && { partial: { why: `ended by ${ended}`, done: run.done } }),
      retries: run.failures.length,
      failed_attempts: run.failures,
      traffic: {
        pattern: 'constant',
        packets,
        rounds,
        interval_us: interval,
        idle_threshold_us: idleThreshold,
        handback_idle_threshold_us: 0,
        seed,
      },
      platform: { ...facts, emulator: run.qemu.join(' '), began: run.began },
      repeat: `npm start -- --kernel ${options.kernel} --host ${options.host} --packets ${packets} --rounds ${rounds} --interval ${interval} --idle-threshold ${idleThreshold} --seed ${seed}`,
    },
    { isStock },
  );
  const document = `${JSON.stringify(result, null, 2)}\n`;
  const file = join(folder, 'result.json');
  await saveResult(file, document, (text) => process.stdout.write(text));
  process.stdout.write(options.json ? document : `${renderResult(result)}\n\nThe result document: ${file}\n`);
  if (ended && run.done < 1) process.exitCode = exitCodeOf(ended);
}
