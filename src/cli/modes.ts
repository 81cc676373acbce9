// SPDX-License-Identifier: Apache-2.0
import type { Command } from 'commander';
import { assembleModes } from '../results/tables/modes.js';
import { renderModes } from '../results/tables/modes-text.js';
import { printTable, type TableOptions, tableCommand } from './lab-table.js';

/** `vmcall modes`: polling, interrupts on a dedicated CPU and on a shared one, on the host and in the VM. */
export function modesCommand(): Command {
  return tableCommand('modes', "measure DPDK's working modes in the lab", {
    ...{ packets: 400, rounds: 2, idleThreshold: 300 },
  }).action((options: TableOptions) =>
    printTable(options, {
      name: 'modes',
      scenario: { scenario: 'modes' },
      cpuIdleThreshold: 0,
      starting: 'starting the lab: every working mode, on the host and in its guest',
      assemble: assembleModes,
      render: renderModes,
    }),
  );
}
