// SPDX-License-Identifier: Apache-2.0
import type { Command } from 'commander';
import { assembleBeforeAfter } from '../lab/results/tables/before-after.js';
import { renderBeforeAfter } from '../lab/results/tables/before-after-text.js';
import { printTable, type TableOptions, tableCommand } from './lab-table.js';

/** `vmcall before-after`: the deck's table of latencies before and after tuning, and each knob's own share. */
export function beforeAfterCommand(): Command {
  return tableCommand('before-after', {
    packets: 300,
    idleThreshold: 300,
  }).action((options: TableOptions) =>
    printTable(options, {
      name: 'before-after',
      scenario: { scenario: 'before-after' },
      starting: 'starting the lab: no knob, one more at a time, all, all but one',
      assemble: assembleBeforeAfter,
      render: renderBeforeAfter,
    }),
  );
}
