// SPDX-License-Identifier: Apache-2.0
import { rootWith } from '../../packaging/build/roots.js';
import { ensureDebianPackages } from '../../src/setup/debian-packages.js';
import type { SupportedDistribution } from '../../src/setup/supported.js';
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
const dependencies = ['libbsd0', 'libnuma1', 'openssl', 'zlib1g'];

/** The root folder that containers of a release boot from. */
export async function containerRoot(
  distribution: SupportedDistribution,
  progress: Progress,
): Promise<string> {
  await ensureDebianPackages(progress, true, 'containers');
  const own = distribution.version === '12' ? [] : ['nodejs'];
  const packages = [...machine, ...dependencies, ...own].sort();
  return rootWith('systemd', distribution, { packages, text: 'with systemd and libvirt (300 MB)' }, progress);
}
