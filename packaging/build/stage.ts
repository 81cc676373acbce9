// SPDX-License-Identifier: Apache-2.0
import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { execa } from 'execa';
import { here, logged } from '../../src/setup/build.js';
import { supported } from '../../src/setup/supported.js';
import { exitCodes, VmcallError } from '../../src/support/errors.js';
import { gitWords } from '../../src/support/git.js';
import { projectVersion } from '../../src/support/version.js';

/**
 * Lays out the source package in a new folder: the files of this clone (those that git knows or would take), a place
 * for npm's packages, the Node.js that builds, `debian/` on top.
 * @returns the version, as debian/changelog has it
 */
export async function stageSource(folder: string): Promise<string> {
  const version = await packageVersion();
  const words = ['ls-files', '-z', '--cached', '--others', '--exclude-standard', '--deduplicate'];
  const { stdout } = await execa('git', [...gitWords, ...words]);
  for (const file of stdout.split('\0')) {
    if (!file) continue;
    await mkdir(dirname(join(folder, file)), { recursive: true });
    // A file that was removed and not committed yet is no part of it.
    await cp(here(file), join(folder, file)).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error;
    });
  }
  await mkdir(join(folder, 'node_modules'));
  await cp(join(folder, 'packaging', 'debian'), join(folder, 'debian'), { recursive: true });
  const node = join(folder, 'packaging', 'node');
  await logged('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--prefix', node]);
  const asked = ['describe', '--always', '--dirty', '--exclude=*'];
  const { stdout: commit } = await execa('git', [...gitWords, ...asked]);
  await writeFile(join(folder, 'packaging', 'commit'), `${commit}\n`);
  const kernels = new Set(supported.distributions.flatMap((distribution) => distribution.kernels));
  await writeFile(join(folder, 'packaging', 'series'), `${[...kernels].sort().join(' ')}\n`);
  return version;
}

/** @throws VmcallError PACKAGES_VERSION if debian/changelog is of another version than package.json */
async function packageVersion(): Promise<string> {
  const changelog = await readFile(here('packaging', 'debian', 'changelog'), 'utf8');
  const version = /^vmcall \((.+)\)/.exec(changelog)?.[1];
  if (version !== projectVersion)
    throw new VmcallError(
      'PACKAGES_VERSION',
      `packaging/debian/changelog begins with version ${version}, package.json has ${projectVersion}`,
      'Give both the same version',
      exitCodes.configuration,
    );
  return version;
}
