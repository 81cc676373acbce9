// SPDX-License-Identifier: Apache-2.0
import { rm } from 'node:fs/promises';
import { Argument, Command } from 'commander';
import { outputOf, runIn, shelfOf } from '../setup/debian-root/run.js';
import { supported } from '../setup/supported.js';
import { stderrProgress } from '../support/progress.js';

/** `npm run debian -- 13 npm test`: a command of this project on another Debian release, on this machine. */
export function debianCommand(): Command {
  const distributions = supported.distributions.filter(({ id }) => id === 'debian');
  return new Command('debian')
    .addArgument(new Argument('<version>', 'release').choices(distributions.map(({ version }) => version)))
    .argument('[command...]', 'what to run in the clone there (default: bash)')
    .option('--fresh', 'make the root folder, and all that was built in it, anew')
    .passThroughOptions()
    .action(async (version: string, command: string[], options: { fresh?: true }) => {
      const distribution = distributions.find((each) => each.version === version);
      if (!distribution) return;
      const made = [shelfOf(distribution), outputOf(distribution)];
      if (options.fresh) for (const folder of made) await rm(folder, { recursive: true, force: true });
      process.exitCode = await runIn(distribution, command.length > 0 ? command : ['bash'], stderrProgress());
    });
}
