// SPDX-License-Identifier: Apache-2.0
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { exitCodes, VmcallError } from '../support/errors.js';
import { cacheRoot } from '../support/paths.js';
import { indexTargetsFormat, parseSources, sourcesOfRelease } from './archive-sources.js';
import { thisDistribution } from './distribution.js';
import { type ArchivePackage, isKernelPackage, parsePackages } from './kernel-choice.js';
import type { SupportedDistribution } from './supported.js';

/** Room for what apt prints of all kernel packages of a release, which is some 100 KB. */
const maxBuffer = 64 * 1024 * 1024;
const env = { LC_ALL: 'C', DEBIAN_FRONTEND: 'noninteractive' };

/** What apt fetches from: options that name its lists. */
export type Archive = readonly string[];

/** What this machine's own sources name. */
export const ownArchive: Archive = [];

/** Where Debian's package of that name has its keys, on each release. */
const keyring = '/usr/share/keyrings/debian-archive-keyring.gpg';

/**
 * A release's archive with its backports and its sources, at the mirrors that this machine uses, in lists of its own:
 * the machine's sources need not name it, and nothing of it is installed.
 * @throws VmcallError SETUP_SOURCES_UNKNOWN
 */
export async function archiveOf(wanted: SupportedDistribution): Promise<Archive> {
  const folder = join(cacheRoot, 'archives', `${wanted.id}-${wanted.version}`);
  for (const name of ['lists/partial', 'cache/archives/partial'])
    await mkdir(join(folder, name), { recursive: true });
  const sources = join(folder, 'sources.list');
  const lines = (await mirroredSources(wanted)).map((line) =>
    line.replace(/^deb /, `[signed-by=${keyring}] `),
  );
  await writeFile(sources, lines.flatMap((line) => [`deb ${line}\n`, `deb-src ${line}\n`]).join(''));
  return [
    `Dir::Etc::sourcelist=${sources}`,
    'Dir::Etc::sourceparts=/dev/null',
    `Dir::State::lists=${join(folder, 'lists')}`,
    `Dir::Cache=${join(folder, 'cache')}`,
    // What is installed here says nothing of what to take from there.
    'Dir::State::status=/dev/null',
    'APT::Sandbox::User=root',
  ].flatMap((option) => ['-o', option]);
}

/**
 * Lines of sources.list(5) for another release, derived from this machine's.
 * @throws VmcallError SETUP_SOURCES_UNKNOWN
 */
export async function mirroredSources(wanted: SupportedDistribution): Promise<string[]> {
  const own = thisDistribution();
  const words = ['indextargets', '--format', indexTargetsFormat, 'Created-By: Packages'];
  const { stdout } = await execa('apt-get', words);
  const lines = sourcesOfRelease(parseSources(stdout), own.codename, wanted.codename);
  if (lines.length === 0)
    throw new VmcallError(
      'SETUP_SOURCES_UNKNOWN',
      `apt's sources on this machine name no archive of ${own.text} (${own.codename}), from which that of ${wanted.codename} would be derived`,
      "Give apt the release's own archive (man sources.list), then run: apt-get update",
      exitCodes.configuration,
    );
  return lines;
}

/** The kernel packages of an archive in all their versions, as its lists have them. */
export async function kernelPackagesOfArchive(archive: Archive = ownArchive): Promise<ArchivePackage[]> {
  // Exact names: other verbs of apt-cache take a name that they do not know for a pattern.
  const { stdout } = await execa('apt-cache', [...archive, 'pkgnames', 'linux-'], { env, maxBuffer });
  const names = stdout.split('\n').filter(isKernelPackage).sort();
  if (names.length === 0) return [];
  const shown = await execa('apt-cache', [...archive, 'show', ...names], { env, maxBuffer, reject: false });
  return parsePackages(shown.stdout);
}

/** Fetches the lists again, waiting for another apt that is at it. */
export async function refreshLists(archive: Archive = ownArchive): Promise<void> {
  await execa('apt-get', [...archive, 'update', '-q', '-o', 'DPkg::Lock::Timeout=600'], {
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
export function downloadPackages(
  folder: string,
  packages: readonly string[],
  archive: Archive = ownArchive,
): Promise<string | undefined> {
  return download(folder, archive, ['download', ...packages]);
}

/**
 * The same of the upstream sources of source packages, without Debian's changes.
 * @param archive one that has sources: `archiveOf()`
 */
export function downloadSources(
  folder: string,
  packages: readonly string[],
  archive: Archive,
): Promise<string | undefined> {
  return download(folder, archive, ['source', '--download-only', '--tar-only', ...packages]);
}

async function download(
  folder: string,
  archive: Archive,
  words: readonly string[],
): Promise<string | undefined> {
  const { failed, stderr, shortMessage } = await execa(
    'apt-get',
    // As root: apt's own download user could not write to the folder.
    [...archive, ...words, '-q', '-o', 'APT::Sandbox::User=root'],
    { cwd: folder, env, maxBuffer, reject: false },
  );
  if (!failed) return undefined;
  const errors = stderr.split('\n').filter((line) => line.startsWith('E: '));
  return errors.map((line) => line.slice(3).trim()).join('; ') || shortMessage || 'apt-get failed';
}
