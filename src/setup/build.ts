// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path';
import { execa } from 'execa';
import { VmcallError } from '../support/errors.js';
import { projectRoot } from '../support/paths.js';

/** A path below the project's root. */
export const here = (...words: string[]) => join(projectRoot, ...words);

/** Runs a build; what it printed is shown only if it fails. */
export async function logged(command: string, words: string[]): Promise<void> {
  const { failed, all, shortMessage } = await execa(command, words, {
    stdin: 'ignore',
    all: true,
    reject: false,
  });
  if (!failed) return;
  process.stderr.write(`${all}\n`);
  throw new VmcallError(
    'SETUP_BUILD_FAILED',
    shortMessage ?? `${command} failed`,
    'The output of the build is above',
  );
}
