// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readdir, rename, rm, stat, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { exitCodes, VmcallError } from '../support/errors.js';
import { cacheRoot } from '../support/paths.js';
import type { Progress } from '../support/progress.js';
import { timed } from '../support/timed-step.js';
import {
  type Archive,
  archiveOf,
  downloadPackages,
  kernelPackagesOfArchive,
  ownArchive,
  refreshLists,
} from './archive.js';
import { thisDistribution } from './distribution.js';
import { type KernelChoice, offeredKernels } from './kernel-choice.js';
import { kernelRefusal, refusedElsewhere } from './kernel-refusal.js';
import { supported, supportedHere } from './supported.js';

/** A series of kernels that `kernel-patches/` has a folder for, e.g. `6.12`. */
export type KernelSeries = string;

const here = supportedHere() ?? supported.distributions[0];
/** Those of all releases, and of their backports. */
export const kernelSeries: readonly KernelSeries[] = [
  ...new Set(
    supported.distributions.flatMap(({ kernels, backportedKernels }) => [...kernels, ...backportedKernels]),
  ),
];
/** Those of this machine's release. */
export const kernelSeriesHere: readonly KernelSeries[] = here?.kernels ?? kernelSeries;
export const defaultKernelSeries: KernelSeries = kernelSeriesHere[0] ?? '';

/** Debian's RT kernel, unpacked under the cache and never installed on the machine. */
export interface KernelPackages {
  series: KernelSeries;
  /** `uname -r` of the kernel, e.g. `6.12.117+deb12-rt-amd64` or `6.1.0-56-rt-amd64`. */
  release: string;
  /** The folder the packages were unpacked to. */
  root: string;
  vmlinuz: string;
  /** `lib/modules/RELEASE`, with depmod's index. */
  modules: string;
  /** Debian's `linux-source` tarball of the same version. */
  source: string;
}

/**
 * Debian's RT kernel of one series (`6.12`): image, headers, kbuild and source of one and the same version.
 * Debian's archive drops old versions, so the newest that is whole there now is taken, once; after that the unpacked
 * copy is used and no network is needed.
 * @throws VmcallError SETUP_KERNEL_ELSEWHERE, SETUP_KERNEL_ABSENT, SETUP_KERNEL_INCOMPLETE, SETUP_DOWNLOAD_FAILED
 */
export async function kernelPackages(series: KernelSeries, progress: Progress): Promise<KernelPackages> {
  const elsewhere = refusedElsewhere(series, here, supported.distributions, thisDistribution().text);
  if (elsewhere) throw elsewhere;
  const shelf = join(cacheRoot, 'kernel', series);
  const unpacked = await newestUnpacked(shelf, series);
  if (unpacked) return unpacked;

  const text = `downloading Debian's RT kernel ${series} (image, headers, source: about 270 MB)`;
  return timed(progress, { key: `kernel-${series}`, text, usual: 60 }, () => download(shelf, series));
}

/** So many versions are tried: lists of packages may name what a mirror has no more. */
const mostTries = 3;

/** This release's archive, but for a kernel of its backports, which few machines have among their sources. */
async function archiveWith(series: KernelSeries): Promise<Archive> {
  return here?.backportedKernels.includes(series) ? archiveOf(here) : ownArchive;
}

async function download(shelf: string, series: KernelSeries): Promise<KernelPackages> {
  const failures: string[] = [];
  const lists = await archiveWith(series);
  let archive = await kernelPackagesOfArchive(lists);
  for (let tried = 0; tried < mostTries; tried++) {
    // Lists that are old, or were never fetched, are the likely reason of the first failure.
    if (tried === 1 || offeredKernels(series, archive).complete.length === 0) {
      await refreshLists(lists);
      archive = await kernelPackagesOfArchive(lists);
    }
    const choice = offeredKernels(series, archive).complete[Math.max(0, tried - 1)];
    if (!choice) break;
    const failure = await unpack(shelf, choice, lists);
    if (failure === undefined) return layout(shelf, series, choice.release);
    failures.push(`${choice.version}: ${failure}`);
  }
  if (failures.length === 0) throw kernelRefusal(series, archive, kernelSeries, thisDistribution().text);
  throw new VmcallError(
    'SETUP_DOWNLOAD_FAILED',
    `apt-get could not download Debian's kernel ${series}: ${failures.join('; ')}`,
    'Check the network and the apt sources (apt-get update shows what does not answer), then run the same command again',
    exitCodes.unsupported,
  );
}

/** Downloads a kernel's packages and unpacks them onto the shelf. @returns why that did not work, or nothing */
async function unpack(
  shelf: string,
  { release, packages }: KernelChoice,
  lists: Archive,
): Promise<string | undefined> {
  await mkdir(shelf, { recursive: true });
  const aside = await mkdtemp(join(shelf, '.unpacking-'));
  const root = join(aside, 'root');
  try {
    // Readable by apt's own download user.
    await chmod(aside, 0o755);
    const failure = await downloadPackages(aside, packages, lists);
    if (failure !== undefined) return failure;
    for (const file of await readdir(aside)) {
      if (!file.endsWith('.deb')) continue;
      await execa('dpkg', ['-x', file, 'root'], { cwd: aside });
      await rm(join(aside, file));
    }
    // From Debian 13 on the modules are below usr/lib; depmod may look for them at either place.
    if (!existsSync(join(root, 'lib'))) await symlink(join('usr', 'lib'), join(root, 'lib'));
    await execa('depmod', ['-b', root, release]);
    await rename(root, join(shelf, release)).catch(async (error: NodeJS.ErrnoException) => {
      // Another run finished the same download first.
      if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
    });
  } finally {
    await rm(aside, { recursive: true, force: true });
  }
  return undefined;
}

function layout(shelf: string, series: KernelSeries, release: string): KernelPackages {
  const root = join(shelf, release);
  const modules = join(root, 'lib', 'modules', release);
  return {
    series,
    release,
    root,
    // The packages that have the modules apart have the kernel beside them.
    vmlinuz: [join(root, 'boot', `vmlinuz-${release}`), join(modules, 'vmlinuz')].find(existsSync) ?? '',
    modules,
    source: join(root, 'usr', 'src', `linux-source-${series}.tar.xz`),
  };
}

async function newestUnpacked(shelf: string, series: KernelSeries): Promise<KernelPackages | undefined> {
  const releases = await readdir(shelf).catch(() => []);
  const dated = await Promise.all(
    releases
      .filter((name) => name.startsWith(`${series}.`))
      .map(async (release) => ({ release, made: (await stat(join(shelf, release))).mtimeMs })),
  );
  const newest = dated.sort((a, b) => b.made - a.made)[0];
  return newest && layout(shelf, series, newest.release);
}
