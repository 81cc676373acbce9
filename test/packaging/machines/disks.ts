// SPDX-License-Identifier: Apache-2.0
import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { buildPackages } from '../../../packaging/build/packages.js';
import { rootWith } from '../../../packaging/build/roots.js';
import { logged } from '../../../src/setup/build.js';
import {
  isKernelPackage,
  type KernelChoice,
  offeredKernels,
  parsePackages,
} from '../../../src/setup/kernel-choice.js';
import { needsNode, type SupportedDistribution } from '../../../src/setup/supported.js';
import type { Progress } from '../../../src/support/progress.js';
import { RootShell } from '../root-shell.js';

const bootable = [
  'grub-pc',
  'initramfs-tools',
  'iproute2',
  'openssh-server',
  'systemd',
  'systemd-sysv',
  'udev',
];
const building = ['bzip2', 'dkms', 'gcc', 'kmod', 'make', 'patch', 'xz-utils'];
/** What our packages depend on beside that; an emulated machine reaches no archive. */
const dependencies = [
  'ca-certificates',
  'dbus',
  'driverctl',
  'libbsd0',
  'libnuma1',
  'openssl',
  'pciutils',
  'zlib1g',
];
const hypervisor = [
  'dnsmasq-base',
  'iptables',
  'libvirt-clients',
  'libvirt-daemon-system',
  'qemu-system-x86',
];

/** What the machines of a release boot from, and what comes as an update. */
export interface Disks {
  host: string;
  key: string;
  /** A repository of our packages. */
  packages: string;
  /** Packages of the second kernel. */
  update: string;
  kernels: readonly [first: KernelChoice, second: KernelChoice];
}

/**
 * Makes the disks of an emulated host and of its guest, which is a file on the host's: Debian's own packages, an RT
 * kernel, and what is compiled, the modules by DKMS, built by the disk's own system in a container.
 * @param folder a new one, for some 10 GB
 */
export async function makeDisks(
  distribution: SupportedDistribution,
  folder: string,
  progress: Progress,
): Promise<Disks> {
  const packages = await buildPackages(distribution, progress);
  const kernels = await newestKernels(distribution, packages, progress);
  const [first, second] = kernels;
  const node = needsNode(distribution) ? [] : ['nodejs'];
  const both = [...bootable, ...building, ...dependencies, ...node, ...first.packages];
  const contents = (names: readonly string[], text: string) => ({
    packages: [...new Set(names)].sort(),
    text,
  });
  // The source that belongs to the first kernel is among its packages; a guest has no need of it.
  const guestContents = contents(
    both.filter((name) => !name.startsWith('linux-source')),
    'that boots, as a guest (1 GB)',
  );
  const host = join(folder, 'host.raw');
  const guest = join(folder, 'guest.raw');
  const key = join(folder, 'key');
  await logged('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', key]);
  const hostContents = contents([...both, ...hypervisor], 'that boots, as a host (1.5 GB)');
  const roots = {
    host: await rootWith('host', distribution, hostContents, progress),
    guest: await rootWith('guest', distribution, guestContents, progress),
  };
  const disk = (root: string, file: string, gib: number, name: string, address: string) =>
    logged('unshare', [
      ...['--mount', join(import.meta.dirname, 'make-disk.sh'), root, file, String(gib), `${key}.pub`],
      ...[name, address, 'virtio_net', packages],
    ]);
  progress.step('making the disks of host and guest');
  await disk(roots.guest, guest, 4, 'guest', '192.168.122.10/24');
  await disk(roots.host, host, 10, 'host', '10.0.2.15/24');
  progress.step("building the guest's driver by DKMS");
  await runOnDisk(guest, packages, install('/srv/to-install/vmcall-guest-dkms_*.deb'));
  progress.step("building the host's modules by DKMS");
  await runOnDisk(host, packages, install('/srv/to-install/vmcall-kvm-dkms_*.deb'));
  progress.step("putting the guest's disk onto the host's");
  const image = join(folder, 'image');
  await mkdir(image);
  await logged('qemu-img', ['convert', '-O', 'qcow2', guest, join(image, 'dpdk0.qcow2')]);
  await runOnDisk(host, image, 'cp /srv/to-install/dpdk0.qcow2 /var/lib/libvirt/images/');
  const update = join(folder, 'update');
  await mkdir(update);
  await download(roots.host, second.packages, update);
  return { host, key, packages, update, kernels };
}

const install = (what: string) =>
  `apt-get install -y -q --no-install-recommends -o Dir::Etc::SourceList=/dev/null ${what}`;

/** The second kernel comes, from Debian's packages alone; its hooks have DKMS build. */
export const updateKernel = ({ host, update }: Disks): Promise<void> =>
  runOnDisk(host, update, install('/srv/to-install/*.deb'));

async function runOnDisk(disk: string, packages: string, commands: string): Promise<void> {
  await logged('unshare', [
    ...['--mount', '--net', '--fork', '--kill-child', join(import.meta.dirname, 'run-on-disk.sh')],
    ...[disk, packages, commands],
  ]);
}

/** The newest but one, and the newest. */
async function newestKernels(
  distribution: SupportedDistribution,
  packages: string,
  progress: Progress,
): Promise<[KernelChoice, KernelChoice]> {
  const contents = { packages: ['ca-certificates'], text: 'to ask the archive from' };
  const shell = new RootShell(await rootWith('archive', distribution, contents, progress), packages);
  try {
    await shell.run('apt-get update -q');
    const names = (await shell.run('apt-cache pkgnames linux-')).split('\n').filter(isKernelPackage);
    const shown = await shell.run(`apt-cache show ${names.sort().join(' ')} 2>/dev/null || true`);
    const [series = ''] = distribution.kernels;
    const [newest, before] = offeredKernels(series, parsePackages(shown)).complete;
    if (!newest || !before) throw new Error(`the archive has no two whole versions of Linux ${series}`);
    return [before, newest];
  } finally {
    await shell.end();
  }
}

/** Packages of the release's archive, into a folder. */
async function download(root: string, names: readonly string[], folder: string): Promise<void> {
  const shell = new RootShell(root, folder);
  try {
    await shell.run('apt-get update -q');
    await shell.run(`cd /srv/vmcall-packages && apt-get download -q ${names.join(' ')}`);
  } finally {
    await shell.end();
  }
  if ((await readdir(folder)).length === 0) throw new Error(`apt downloaded nothing of ${names.join(' ')}`);
}
