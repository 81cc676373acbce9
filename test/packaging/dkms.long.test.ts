// SPDX-License-Identifier: Apache-2.0
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildPackages } from '../../packaging/build/packages.js';
import { rootWith } from '../../packaging/build/roots.js';
import {
  isKernelPackage,
  type KernelChoice,
  offeredKernels,
  parsePackages,
} from '../../src/setup/kernel-choice.js';
import { supported } from '../../src/setup/supported.js';
import { stderrProgress } from '../../src/support/progress.js';
import { RootShell } from './root-shell.js';

const minutes = 60_000;
const six = ['irqbypass', 'kvm', 'kvm-amd', 'kvm-intel', 'vfio-pci', 'vfio-pci-core'];
const tools = [
  'bzip2',
  'ca-certificates',
  'dkms',
  'gcc',
  'initramfs-tools',
  'kmod',
  'make',
  'patch',
  'xz-utils',
];
/** In a container with many kernels, DKMS is told which one it is about; the kernel's own hooks tell it on a host. */
const installOptions = '--no-install-recommends --allow-downgrades -y -q';

const cases = supported.distributions.flatMap((distribution) =>
  distribution.kernels.map((series) => ({
    distribution,
    series,
    name: `${distribution.codename}, Linux ${series}`,
  })),
);

describe.each(cases)('DKMS on $name', ({ distribution, series }) => {
  let shell: RootShell;
  /** The newest two versions that the archive has all of; the second comes as an update. */
  let older: KernelChoice;
  let newer: KernelChoice;

  beforeAll(async () => {
    const progress = stderrProgress();
    const packages = await buildPackages(distribution, progress);
    const contents = { packages: tools, text: 'with DKMS (300 MB)' };
    shell = new RootShell(await rootWith('dkms', distribution, contents, progress), packages);
    await shell.run('apt-get update -q');
    const names = (await shell.run('apt-cache pkgnames linux-')).split('\n').filter(isKernelPackage);
    const shown = await shell.run(`apt-cache show ${names.sort().join(' ')} 2>/dev/null || true`);
    const { complete } = offeredKernels(series, parsePackages(shown));
    const [last, before] = complete;
    if (!last || !before) throw new Error(`the archive has ${complete.length} whole versions of ${series}`);
    [older, newer] = [before, last];
  }, 30 * minutes);
  afterAll(() => shell?.end());

  const install = (...names: string[]) => shell.run(`apt-get install ${installOptions} ${names.join(' ')}`);
  const modules = async (release: string) =>
    (await shell.run(`ls /lib/modules/${release}/updates/dkms 2>/dev/null || true`))
      .split('\n')
      .map((file) => file.split('.')[0] ?? '')
      .filter((name) => six.includes(name));
  /** The six are there, signed by DKMS' key, and what modprobe would take. */
  async function expectInstalled(release: string): Promise<void> {
    expect(await modules(release)).toEqual(six);
    for (const name of six) {
      expect(await shell.run(`modinfo -k ${release} -n ${name}`)).toContain('/updates/dkms/');
      expect(await shell.run(`modinfo -k ${release} -F signer ${name}`)).toContain('DKMS');
    }
    expect(await shell.run('dkms status vmcall-kvm')).toMatch(
      new RegExp(`${release.replaceAll('+', '\\+')}.*: installed`),
    );
  }

  test('builds, signs and installs the six modules of an installed kernel', {
    timeout: 40 * minutes,
  }, async () => {
    await install(...older.packages);
    const said = await install('/srv/vmcall-packages/vmcall-kvm-dkms_*.deb');
    expect(said).toContain(older.release);
    await expectInstalled(older.release);
  });

  test('builds them for a kernel that comes as an update, and keeps the first', {
    timeout: 40 * minutes,
  }, async () => {
    await install(...newer.packages);
    await expectInstalled(newer.release);
    await expectInstalled(older.release);
  });

  test('says in words why another kernel cannot be had', async () => {
    const build = '/usr/src/vmcall-kvm-*/build-for-kernel --check';
    const { exitCode, all } = await shell.try(`${build} 5.10.0-1-rt-amd64`);
    expect([exitCode, all]).toEqual([1, expect.stringContaining('there is no patch series for Linux 5.10')]);
    // Its source was replaced by the newer kernel's.
    const stale = await shell.try(`${build} ${older.release}`);
    expect([stale.exitCode, stale.all]).toEqual([
      1,
      expect.stringContaining('apt-get install linux-source-'),
    ]);
  });

  test('a purge brings the distribution’s modules back', { timeout: 10 * minutes }, async () => {
    await shell.run('apt-get purge -y -q vmcall-kvm-dkms');
    for (const { release } of [older, newer]) {
      expect(await modules(release)).toEqual([]);
      expect(await shell.run(`modinfo -k ${release} -n kvm`)).toContain('/kernel/arch/x86/kvm/');
    }
    expect(
      await shell.run('ls /usr/src | grep vmcall || true; ls -d /var/lib/vmcall-kvm 2>/dev/null || true'),
    ).toBe('');
  });

  test("builds the guest's driver", { timeout: 10 * minutes }, async () => {
    await install('/srv/vmcall-packages/vmcall-guest-dkms_*.deb');
    for (const { release } of [older, newer])
      expect(await shell.run(`modinfo -k ${release} -n vmcall`)).toContain('/updates/dkms/vmcall.ko');
    await shell.run('apt-get purge -y -q vmcall-guest-dkms');
    expect((await shell.try(`modinfo -k ${newer.release} -n vmcall`)).exitCode).not.toBe(0);
  });
});
