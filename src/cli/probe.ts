// SPDX-License-Identifier: Apache-2.0
import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { Command } from 'commander';
import { exitCodes, VmcallError } from '../support/errors.js';
import { cacheRoot, projectRoot } from '../support/paths.js';

const name = 'vmcall-probe';

/** `vmcall probe`: how this host's KVM wakes a halted vCPU. The program is one file, which runs without us, too. */
export function probeCommand(): Command {
  return new Command('probe')
    .argument('[options...]', `as ${name} --help says: --json, --cpu N, --rounds N`)
    .allowUnknownOption()
    .helpOption(false)
    .action((words: string[]) => {
      const { status, error } = spawnSync(installed() ?? built(), words, { stdio: 'inherit' });
      if (error) throw error;
      process.exitCode = status ?? exitCodes.failed;
    });
}

function installed(): string | undefined {
  return (process.env.PATH ?? '')
    .split(delimiter)
    .map((folder) => join(folder, name))
    .find((file) => {
      try {
        accessSync(file, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}

/** In a clone: made from its sources, once. @throws VmcallError PROBE_MISSING */
function built(): string {
  const source = join(projectRoot, 'host-agent', 'probe');
  const folder = join(cacheRoot, 'probe');
  const made =
    existsSync(join(source, 'Makefile')) &&
    spawnSync('make', ['-s', '-C', source, `O=${folder}`], { stdio: ['ignore', 2, 2] }).status === 0;
  if (made) return join(folder, name);
  throw new VmcallError(
    'PROBE_MISSING',
    `there is no ${name} in PATH`,
    'Install it: apt-get install vmcall-host; or build it in a clone (make -C host-agent/probe) and copy it here',
    exitCodes.unsupported,
  );
}
