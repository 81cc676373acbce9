// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import {
  type ArchivePackage,
  isKernelPackage,
  offeredKernels,
  parsePackages,
} from '../../src/setup/kernel-choice.js';
import { kernelRefusal } from '../../src/setup/kernel-refusal.js';
import { describeError } from '../../src/support/errors.js';
import { projectRoot } from '../../src/support/paths.js';

const recorded = (name: string) =>
  parsePackages(readFileSync(join(projectRoot, 'test', 'setup', 'archive', `${name}.txt`), 'utf8'));
const debian12 = recorded('debian-12-2026-11-29');
const debian13 = recorded('debian-13-2026-11-29');
const without = (archive: ArchivePackage[], gone: (name: string, version: string) => boolean) =>
  archive.filter(({ name, version }) => !gone(name, version));
const newest = (series: string, archive: ArchivePackage[]) => offeredKernels(series, archive).complete[0];
const known = ['6.12', '6.1'];
const refusal = (series: string, archive: ArchivePackage[], distribution = 'Debian 12') =>
  describeError(kernelRefusal(series, archive, known, distribution));

/** A kernel 6.1 with the packages of one version, its image and kbuild as given. */
const kernel61 = (version: string, abi: number, image: string, kbuild = version) => ({
  version,
  release: `6.1.0-${abi}-rt-amd64`,
  packages: [
    `linux-source-6.1=${version}`,
    `linux-headers-6.1.0-${abi}-rt-amd64=${version}`,
    `linux-headers-6.1.0-${abi}-common-rt=${version}`,
    `linux-kbuild-6.1=${kbuild}`,
    `linux-image-6.1.0-${abi}-rt-amd64${image}=${version}`,
  ],
});
const newestToday = kernel61('6.1.192-3', 57, '-unsigned');

describe('of the kernels in the archive', () => {
  test('the newest is taken with its unsigned image while the signed one lags behind', () => {
    expect(newest('6.1', debian12)).toEqual(newestToday);
  });

  test('the signed image is preferred once it is there', () => {
    const image = { name: 'linux-image-6.1.0-57-rt-amd64', version: '6.1.192-3', depends: 'kmod' };
    expect(newest('6.1', [...debian12, image])?.packages).toContain(`${image.name}=6.1.192-3`);
  });

  test('the one before is taken where the newest has no image yet', () => {
    const archive = without(debian12, (name) => name === 'linux-image-6.1.0-57-rt-amd64-unsigned');
    // Of kbuild only the newest is left, which serves.
    expect(newest('6.1', archive)).toEqual(kernel61('6.1.192-2', 56, '', '6.1.192-3'));
  });

  test('an older version that has just gone, but for its source and its signed image, is not taken', () => {
    const archive = without(
      debian12,
      (name, version) => version !== '6.1.192-3' && /headers|kbuild|unsigned/.test(name),
    );
    const { complete, incomplete } = offeredKernels('6.1', archive);
    expect(complete).toEqual([newestToday]);
    expect(incomplete[0]).toEqual({ version: '6.1.192-2', missing: ['linux-headers-6.1.*-rt-amd64'] });
  });

  test('a point release is taken with its own kbuild where the security archive is half written', () => {
    const archive = without(
      debian12,
      (name, version) => /^6\.1\.(?:192|190|187)-/.test(version) && !/source|kbuild|common/.test(name),
    );
    const { complete, incomplete } = offeredKernels('6.1', archive);
    expect(complete[0]).toEqual(kernel61('6.1.176-1', 50, ''));
    expect(incomplete[0]).toEqual({ version: '6.1.192-3', missing: ['linux-headers-6.1.*-rt-amd64'] });
  });

  test('each release has its own newest 6.12, and headers of 6.12 are not those of 6.1', () => {
    expect(newest('6.12', debian12)?.release).toBe('6.12.117+deb12-rt-amd64');
    expect(newest('6.12', debian13)).toMatchObject({
      version: '6.12.118-1',
      release: '6.12.118+deb13-rt-amd64',
    });
    expect(
      newest(
        '6.1',
        without(debian12, (name) => /6\.1\.0/.test(name)),
      ),
    ).toBeUndefined();
  });

  test('a kernel whose modules are in a package of their own is taken with them, unsigned if need be', () => {
    const release = '7.3.4+deb13-rt-amd64';
    const at = (name: string) => `${name}=7.3.4-1~bpo13+1`;
    const common = [
      'linux-source-7.3',
      `linux-headers-${release}`,
      'linux-headers-7.3.4+deb13-common',
      'linux-kbuild-7.3.4+deb13',
    ];
    expect(newest('7.3', debian13)).toEqual({
      version: '7.3.4-1~bpo13+1',
      release,
      packages: [...common, `linux-binary-${release}`, `linux-modules-${release}`].map(at),
    });
    const unsigned = without(debian13, (name) => name === `linux-binary-${release}`);
    expect(newest('7.3', unsigned)?.packages.slice(4)).toEqual([
      at(`linux-binary-unsigned-${release}`),
      at(`linux-modules-${release}`),
    ]);
  });

  test('debug symbols and cloud kernels are none of them', () => {
    expect(isKernelPackage('linux-image-6.1.0-57-rt-amd64-unsigned')).toBe(true);
    expect(isKernelPackage('linux-image-6.1.0-57-rt-amd64-dbg')).toBe(false);
    expect(isKernelPackage('linux-headers-6.1.0-57-cloud-amd64')).toBe(false);
    expect(isKernelPackage('linux-libc-dev')).toBe(false);
  });
});

describe('a kernel that cannot be had', () => {
  test('is named as what its release has not, with what it has', () => {
    const text = refusal('6.1', debian13, 'Debian 13');
    expect(text).toMatch(/^SETUP_KERNEL_ABSENT: Debian 13 has no kernel 6\.1: .* 7\.3, 7\.2, 6\.12$/m);
    expect(text).toContain('npm start -- --kernel 6.12');
  });

  test('is named with what is missing of what, and with more than one fix', () => {
    const archive = without(debian12, (name) => /^linux-image-6\.1\..*-rt/.test(name));
    const text = refusal('6.1', archive);
    expect(text).toContain(
      '6.1.192-3 lacks linux-image-6.1.0-57-rt-amd64 or linux-image-6.1.0-57-rt-amd64-unsigned',
    );
    expect(text).toContain('npm start -- --kernel 6.12');
    expect(text).toContain('try again in some hours');
  });

  test('names no other kernel where none is whole', () => {
    const archive = without(debian12, (name) => name.startsWith('linux-image-'));
    expect(refusal('6.1', archive)).not.toContain('--kernel');
    expect(refusal('6.1', [])).toContain('apt-get update');
  });
});
