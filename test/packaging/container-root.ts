// SPDX-License-Identifier: Apache-2.0
import { rootWith } from '../../packaging/build/roots.js';
import { ensureDebianPackages } from '../../src/setup/debian-packages.js';
import { needsNode, type SupportedDistribution } from '../../src/setup/supported.js';
import type { Progress } from '../../src/support/progress.js';

/** What a host with libvirt, and a guest, have before our packages come; no compiler, no npm. */
const machine = [
  'systemd',
  'systemd-sysv',
  'dbus',
  'ca-certificates',
  'libvirt-clients',
  'libvirt-daemon-system',
];
/** What the packages depend on beside that, as the containers reach no archive. */
const dependencies = ['driverctl', 'libbsd0', 'libnuma1', 'openssl', 'zlib1g'];
/** What is tried there beside bash: shells that complete, and Python for Ansible. */
const tried = ['fish', 'python3', 'python3-apt', 'zsh'];

/** The root folder that containers of a release boot from. */
export async function containerRoot(
  distribution: SupportedDistribution,
  progress: Progress,
): Promise<string> {
  await ensureDebianPackages(progress, true, 'containers');
  const own = needsNode(distribution) ? [] : ['nodejs'];
  const packages = [...machine, ...dependencies, ...tried, ...own].sort();
  return rootWith('systemd', distribution, { packages, text: 'with systemd and libvirt (300 MB)' }, progress);
}
