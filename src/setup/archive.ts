// SPDX-License-Identifier: Apache-2.0
import { execa } from 'execa';
import { type ArchivePackage, isKernelPackage, parsePackages } from './kernel-choice.js';

/** Room for what apt prints of all kernel packages of a release, which is some 100 KB. */
const maxBuffer = 64 * 1024 * 1024;
const env = { LC_ALL: 'C', DEBIAN_FRONTEND: 'noninteractive' };

/** The kernel packages of the archive in all their versions, as this machine's lists have them. */
export async function kernelPackagesOfArchive(): Promise<ArchivePackage[]> {
  // Exact names: other verbs of apt-cache take a name that they do not know for a pattern.
  const { stdout } = await execa('apt-cache', ['pkgnames', 'linux-'], { env, maxBuffer });
  const names = stdout.split('\n').filter(isKernelPackage).sort();
  if (names.length === 0) return [];
  const shown = await execa('apt-cache', ['show', ...names], { env, maxBuffer, reject: false });
  return parsePackages(shown.stdout);
}

/** Fetches the lists again, waiting for another apt that is at it. */
export async function refreshLists(): Promise<void> {
  await execa('apt-get', ['update', '-q', '-o', 'DPkg::Lock::Timeout=600'], {
    env,
    stdin: 'ignore',
    stdout: 2,
    stderr: 2,
    reject: false,
  });
}

/**
 * Downloads packages (`name` or `name=version`) into a folder.
 * @returns what apt says that went wrong, or nothing
 */
export async function downloadPackages(
  folder: string,
  packages: readonly string[],
): Promise<string | undefined> {
  const { failed, stderr, shortMessage } = await execa(
    'apt-get',
    // As root: apt's own download user could not write to the folder.
    ['download', '-q', '-o', 'APT::Sandbox::User=root', ...packages],
    { cwd: folder, env, maxBuffer, reject: false },
  );
  if (!failed) return undefined;
  const errors = stderr.split('\n').filter((line) => line.startsWith('E: '));
  return errors.map((line) => line.slice(3).trim()).join('; ') || shortMessage || 'apt-get failed';
}
