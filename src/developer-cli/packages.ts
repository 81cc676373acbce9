// SPDX-License-Identifier: Apache-2.0
import { Command, Option } from 'commander';
import { buildPackages } from '../../packaging/build/packages.js';
import { supported } from '../setup/supported.js';
import { stderrProgress } from '../support/progress.js';

/** `npm run packages`: the Debian packages, for each supported release or one. */
export function packagesCommand(): Command {
  const distributions = supported.distributions.filter(({ id }) => id === 'debian');
  return new Command('packages')
    .addOption(
      new Option('--release <version>', 'for this release alone').choices(
        distributions.map(({ version }) => version),
      ),
    )
    .action(async ({ release }: { release?: string }) => {
      for (const distribution of distributions)
        if (release === undefined || release === distribution.version)
          process.stdout.write(`${await buildPackages(distribution, stderrProgress())}\n`);
    });
}
