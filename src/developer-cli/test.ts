// SPDX-License-Identifier: Apache-2.0
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { Command } from 'commander';
import { prepareTests } from '../setup/prepare.js';
import { projectRoot } from '../support/paths.js';
import { stderrProgress } from '../support/progress.js';

/** `npm test`: the lab's set-up, then every test, the lab's included. Words after `--` go to vitest. */
export function testCommand(): Command {
  return new Command('test')
    .argument('[vitest-words...]', 'file names or options for vitest')
    .allowUnknownOption()
    .action(async (words: string[]) => {
      await prepareTests(stderrProgress());
      const vitest = join(projectRoot, 'node_modules', 'vitest', 'vitest.mjs');
      const { status } = spawnSync(process.execPath, [vitest, 'run', ...words], {
        cwd: projectRoot,
        stdio: 'inherit',
      });
      process.exitCode = status ?? 1;
    });
}
