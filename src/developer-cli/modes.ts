// SPDX-License-Identifier: Apache-2.0
import type { Command } from 'commander';
import { whole } from '../cli/whole.js';
import { assembleModes } from '../lab/results/tables/modes.js';
import { renderModes } from '../lab/results/tables/modes-text.js';
import { printTable, type TableOptions, tableCommand } from './lab-table.js';

/** `vmcall modes`: polling, interrupts on a dedicated CPU and on a shared one, on the host and in the VM. */
export function modesCommand(): Command {
  return tableCommand('modes', {
    packets: 400,
    idleThreshold: 300,
  })
    .option('--rounds <n>', 'rounds they are split into; the modes take turns', whole(1, 100), 2)
    .action((options: TableOptions & { rounds: number }) =>
      printTable(options, {
        name: 'modes',
        scenario: { scenario: 'modes', rounds: options.rounds },
        words: ['--rounds', String(options.rounds)],
        cpuIdleThreshold: 0,
        starting: 'starting the lab: every working mode, on the host and in its guest',
        assemble: assembleModes,
        render: renderModes,
      }),
    );
}
