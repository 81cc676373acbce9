// SPDX-License-Identifier: Apache-2.0
import { createInterface } from 'node:readline/promises';
import { execa } from 'execa';
import { exitCodes, VmcallError } from '../support/errors.js';
import type { Progress } from '../support/progress.js';
import { thisDistribution } from './distribution.js';

/** Debian packages the builds and the lab need, and what for. */
const forLab: Readonly<Record<string, string>> = {
  'build-essential': 'to build kernel modules, the dataplane, the generator and the addon',
  bc: 'kernel build',
  bison: 'kernel build',
  flex: 'kernel build',
  git: 'to check the patch series',
  kmod: 'module index',
  'libelf-dev': 'kernel build',
  'libssl-dev': 'kernel build',
  'xz-utils': "Debian's module compression",
  cpio: 'initramfs',
  'busybox-static': 'initramfs',
  perl: "the kernel's checkpatch",
  'pkg-config': 'to find DPDK and libvirt',
  'libvirt-daemon': "libvirtd of the lab's host, and for the addon's tests",
  // Without its user libvirt-qemu libvirtd has no QEMU driver, whomever its configuration names.
  'libvirt-daemon-system': 'its user and the folder of its configuration',
  'libvirt-dev': 'libvirt addon',
  'dpdk-doc': "DPDK's own examples",
  'libdpdk-dev': 'dataplane',
  'libnuma-dev': 'dataplane, static',
  'libbsd-dev': 'dataplane, static',
  'zlib1g-dev': 'histograms',
  'qemu-system-x86': 'the lab host and its guest',
  iproute2: 'network interfaces',
  openssl: "the host agent's certificate",
  'util-linux': 'chrt, taskset, setpriv',
};

/** What the tests need beside that. */
const forTests: Readonly<Record<string, string>> = {
  'dpdk-dev': "DPDK's own testpmd, as another program and as the other end of a port",
  libfaketime: 'to set the clock of one process',
  luajit: "MoonGen's script, without MoonGen",
  valgrind: "to count the dataplane's instructions",
  chromium: "to look at the report and the host agent's page in a browser",
  tmux: 'a terminal for vmcall top',
  fish: 'to complete the command line',
  zsh: 'to complete the command line',
  'fonts-inter': "the report's first choice of typeface, so that its picture is the same everywhere",
};

/** What an emulated Intel machine boots from. */
const forVmx: Readonly<Record<string, string>> = {
  isolinux: 'boot loader of its CD',
  'syslinux-common': 'a part of that',
  vgabios: 'without one it does not start',
  xorriso: 'to write the CD',
};

/** What the root folder of another release is made and entered with. */
const forRoots: Readonly<Record<string, string>> = {
  mmdebstrap: 'to make it',
  'debian-archive-keyring': 'to check what it is made from',
  mount: 'to enter it',
  'util-linux': 'unshare',
};

/** What containers of other releases are booted with. */
const forContainers: Readonly<Record<string, string>> = {
  'ansible-core': 'to play the roles on them',
  'systemd-container': 'to boot them',
  'dpkg-dev': 'the index of a repository of packages',
};

/** What a machine with Secure Boot is emulated with. */
const forSecureBoot: Readonly<Record<string, string>> = {
  ovmf: 'its firmware',
  sbsigntool: 'to sign its kernel',
  efitools: 'to make the keys that its firmware is given',
};

const groups = {
  lab: forLab,
  tests: forTests,
  vmx: forVmx,
  roots: forRoots,
  containers: forContainers,
  secureBoot: forSecureBoot,
} as const;

async function absent(names: readonly string[]): Promise<string[]> {
  // biome-ignore lint/suspicious/noTemplateCurlyInString: dpkg-query's own format
  const { stdout } = await execa('dpkg-query', ['-W', '-f', '${Package} ${db:Status-Abbrev}\n', ...names], {
    reject: false,
  });
  const installed = new Set(
    stdout
      .split('\n')
      .filter((line) => / ii /.test(`${line} `))
      .map((line) => line.split(' ')[0]),
  );
  return names.filter((name) => !installed.has(name));
}

async function agreed(names: readonly string[], assumeYes: boolean): Promise<boolean> {
  if (assumeYes || process.env.CI || !process.stdin.isTTY) return true;
  const reader = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = await reader.question(
      `Install ${names.length} Debian packages (${names.join(' ')})? [Y/n] `,
    );
    return !/^n/i.test(answer.trim());
  } finally {
    reader.close();
  }
}

/** Installs what is absent of a group of the packages above; asks first on a terminal unless `assumeYes`. */
export async function ensureDebianPackages(
  progress: Progress,
  assumeYes: boolean,
  group: keyof typeof groups = 'lab',
): Promise<void> {
  const missing = await absent(Object.keys(groups[group]));
  if (missing.length === 0) return;
  if (!(await agreed(missing, assumeYes)))
    throw new VmcallError(
      'SETUP_DECLINED',
      `the ${group} cannot be set up without these packages`,
      `Install them yourself: apt-get install --no-install-recommends ${missing.join(' ')}`,
      exitCodes.unsupported,
    );
  progress.step(`installing ${missing.length} Debian packages: ${missing.join(' ')}`);
  const lock = ['-o', 'DPkg::Lock::Timeout=600'];
  const env = { DEBIAN_FRONTEND: 'noninteractive' };
  await execa('apt-get', ['update', '-q', ...lock], {
    stdin: 'ignore',
    stdout: 2,
    stderr: 2,
    env,
    reject: false,
  });
  const install = await execa(
    'apt-get',
    ['install', '-q', '-y', '--no-install-recommends', ...lock, ...missing],
    {
      stdin: 'ignore',
      stdout: ['pipe', 2],
      stderr: ['pipe', 2],
      env,
      reject: false,
    },
  );
  if (install.failed)
    throw new VmcallError(
      'SETUP_PACKAGES_FAILED',
      `apt-get install ended with exit code ${install.exitCode} (its output is above)`,
      `Check the network and that the apt sources have ${thisDistribution().text}, then run the same command again`,
      exitCodes.unsupported,
    );
}
