// SPDX-License-Identifier: Apache-2.0
import { chmod, mkdir, mkdtemp, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { exitCodes, VmcallError } from '../support/errors.js';
import { cacheRoot } from '../support/paths.js';
import type { Progress } from '../support/progress.js';
import { timed } from '../support/timed-step.js';

/** Debian 12's kernels that `kernel-patches/` has a series for: 6.1 is its own, 6.12 that of its backports. */
export const kernelSeries = ['6.12', '6.1'] as const;
export type KernelSeries = (typeof kernelSeries)[number];
export const defaultKernelSeries: KernelSeries = '6.12';

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
 * Debian's archive drops old versions, so whatever `linux-source-SERIES` has now is taken, once; after that
 * the unpacked copy is used and no network is needed.
 */
export async function kernelPackages(series: KernelSeries, progress: Progress): Promise<KernelPackages> {
  const shelf = join(cacheRoot, 'kernel', series);
  const unpacked = await newestUnpacked(shelf, series);
  if (unpacked) return unpacked;

  const text = `downloading Debian's RT kernel ${series} (image, headers, source: about 270 MB)`;
  return timed(progress, { key: `kernel-${series}`, text, usual: 60 }, () => download(shelf, series));
}

async function download(shelf: string, series: KernelSeries): Promise<KernelPackages> {
  const version = await candidateVersion(`linux-source-${series}`);
  const headers = await headersPackage(series, version);
  const release = headers.replace('linux-headers-', '');
  await mkdir(shelf, { recursive: true });
  // Readable by apt's own download user.
  const aside = await mkdtemp(join(shelf, '.unpacking-'));
  try {
    await chmod(aside, 0o755);
    const packages = [
      `linux-image-${release}`,
      headers,
      ...(await partsOfHeaders(headers, version)),
      `linux-source-${series}`,
    ];
    await execa(
      'apt-get',
      ['download', '-q', '-o', 'APT::Sandbox::User=root', ...packages.map((name) => `${name}=${version}`)],
      {
        cwd: aside,
      },
    ).catch((cause) => {
      throw new VmcallError(
        'SETUP_DOWNLOAD_FAILED',
        `apt-get could not download ${packages.join(', ')} in version ${version}`,
        'Check the network and run: apt-get update',
        exitCodes.unsupported,
        { cause },
      );
    });
    for (const file of await readdir(aside)) {
      if (!file.endsWith('.deb')) continue;
      await execa('dpkg', ['-x', file, 'root'], { cwd: aside });
      await rm(join(aside, file));
    }
    await execa('depmod', ['-b', join(aside, 'root'), release]);
    await rename(join(aside, 'root'), join(shelf, release)).catch(async (error: NodeJS.ErrnoException) => {
      // Another run finished the same download first.
      if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
    });
  } finally {
    await rm(aside, { recursive: true, force: true });
  }
  return layout(shelf, series, release);
}

function layout(shelf: string, series: KernelSeries, release: string): KernelPackages {
  const root = join(shelf, release);
  return {
    series,
    release,
    root,
    vmlinuz: join(root, 'boot', `vmlinuz-${release}`),
    modules: join(root, 'lib', 'modules', release),
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

async function candidateVersion(name: string): Promise<string> {
  const { stdout } = await execa('apt-cache', ['policy', name], { env: { LC_ALL: 'C' } });
  const version = /Candidate: (\S+)/.exec(stdout)?.[1];
  if (!version || version === '(none)')
    throw new VmcallError(
      'SETUP_PACKAGE_UNKNOWN',
      `Debian's archive, as this machine knows it, has no package ${name}`,
      'Enable Debian 12 (bookworm) with bookworm-security in the apt sources and run: apt-get update',
      exitCodes.unsupported,
    );
  return version;
}

/**
 * The RT headers package of the version that `linux-source` has. Its name need not hold that version: for
 * 6.1.192-2 it is `linux-headers-6.1.0-56-rt-amd64`, for 6.12.117-1~deb12u1 `linux-headers-6.12.117+deb12-rt-amd64`.
 */
async function headersPackage(series: KernelSeries, version: string): Promise<string> {
  const pattern = `^linux-headers-${series.replaceAll('.', '\\.')}\\..*-rt-amd64$`;
  const { stdout: found } = await execa('apt-cache', ['search', '--names-only', pattern]);
  const names = found.split('\n').flatMap((line) => line.split(' ')[0] || []);
  const { stdout: versions } = await execa('apt-cache', ['madison', ...names], { reject: false });
  const name = versions
    .split('\n')
    .map((line) => line.split('|').map((field) => field.trim()))
    .find((fields) => fields[1] === version)?.[0];
  if (!name)
    throw new VmcallError(
      'SETUP_PACKAGE_UNKNOWN',
      `no RT headers package belongs to linux-source version ${version}`,
      'Run apt-get update and try again',
      exitCodes.unsupported,
    );
  return name;
}

/** What the RT headers package is made of besides itself: the common headers, and kbuild. */
async function partsOfHeaders(headers: string, version: string): Promise<string[]> {
  const { stdout } = await execa('apt-cache', ['show', `${headers}=${version}`], { env: { LC_ALL: 'C' } });
  const depends = /^Depends: (.*)$/m.exec(stdout)?.[1] ?? '';
  const parts = depends.match(/\blinux-(headers-\S+-common-rt|kbuild-[^\s,]+)/g) ?? [];
  if (parts.length !== 2)
    throw new VmcallError(
      'SETUP_PACKAGE_UNKNOWN',
      `${headers} should depend on the common headers and on kbuild, but depends on: ${depends}`,
      'Report this version to the project',
      exitCodes.unsupported,
    );
  return parts;
}
