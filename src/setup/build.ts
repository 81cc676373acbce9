// SPDX-License-Identifier: Apache-2.0
import { mkdtemp, rm, symlink } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
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

/** Makes an empty folder to build in, whose path has no white space; whoever asked for it removes it. */
export function workFolder(name: string): Promise<string> {
  return mkdtemp(join(/\s/.test(tmpdir()) ? '/tmp' : tmpdir(), `vmcall-${name}-`));
}

/**
 * Runs make in a folder of the project, with `O=` for where it writes to. make ends a path at its first space, so it is
 * given a link to `output` that has none.
 */
export async function makeIn(source: string, output: string, words: readonly string[] = []): Promise<void> {
  const work = await workFolder('make');
  const link = join(work, 'output');
  try {
    await symlink(output, link);
    await logged('make', ['-C', source, `O=${link}`, `-j${availableParallelism()}`, ...words]);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}
