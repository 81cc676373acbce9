// SPDX-License-Identifier: Apache-2.0
import { type Command, InvalidArgumentError } from 'commander';
import { mostGuests } from '../lab/plan.js';
import { assembleDensity } from '../lab/results/tables/density.js';
import { renderDensity } from '../lab/results/tables/density-text.js';
import { printTable, type TableOptions, tableCommand } from './lab-table.js';

/** Rising numbers of guests, such as 1,2,4. */
function guestCounts(text: string): number[] {
  const counts = text.split(',').map(Number);
  const rising = counts.every((count, at) => count > (counts[at - 1] ?? 0));
  if (!rising || counts.some((count) => !Number.isInteger(count) || count > mostGuests))
    throw new InvalidArgumentError(
      `"${text}" is not a rising list of whole numbers from 1 to ${mostGuests}, such as 1,2,4.`,
    );
  return counts;
}

/** `vmcall density`: guests that share one pCPU, more and more of them, on each path. */
export function densityCommand(): Command {
  return tableCommand('density', {
    packets: 100,
    // A program that polls before it sleeps keeps the CPU from the other guests as long.
    idleThreshold: 0,
  })
    .option('--guests <list>', 'numbers of guests, one after the other', guestCounts, [1, 2, 4])
    .action((options: TableOptions & { guests: number[] }) =>
      printTable(options, {
        name: 'density',
        scenario: { scenario: 'density', guests: options.guests },
        words: ['--guests', options.guests.join(',')],
        starting: `starting the lab: ${options.guests.join(', ')} guest(s) on one pCPU`,
        assemble: assembleDensity,
        render: renderDensity,
      }),
    );
}
