// SPDX-License-Identifier: Apache-2.0

import { shellWord } from '../../../src/support/shell-words.js';
import type { Host } from '../../host/host.js';
import type { Target } from '../target.js';
import { type Rule, type RuleVerdict, wellRead } from './rule.js';

/** The oldest that was tried: those of Debian 12 (src/setup/supported.json). */
const oldest = { qemu: [7, 2], libvirt: [9, 0] } as const;

export const programVersions: Rule = {
  code: 'versions',
  severity: 'warn',
  why: 'older ones were not tried with the series, nor was a QEMU that is no longer the file it was started from',
  source: 'README.md, "What is supported"',
  judge: (host, target) => [...qemu(host, target), ...version(host, 'libvirt', ['virtqemud', 'libvirtd'])],
};

/** QEMU of the domain, else the distribution's. */
function qemu(host: Host, { facts }: Target): RuleVerdict[] {
  const program = facts === null ? null : host.link(`/proc/${facts.pid}/exe`);
  if (program?.endsWith(' (deleted)')) {
    const name = shellWord(facts?.name ?? '');
    return [
      {
        read: `${facts?.name} runs a QEMU that was updated since (${program})`,
        cure: `virsh shutdown --domain ${name} && virsh start ${name}  # once it has ended`,
        undo: 'None is needed.',
      },
    ];
  }
  return version(host, 'qemu', [program ?? 'qemu-system-x86_64']);
}

function version(host: Host, name: keyof typeof oldest, programs: readonly string[]): RuleVerdict[] {
  for (const program of programs) {
    const found = host.programVersion(program);
    if (found === null) continue;
    const [major = 0, minor = 0] = found.split('.').map(Number);
    const [leastMajor, leastMinor] = oldest[name];
    if (major > leastMajor || (major === leastMajor && minor >= leastMinor))
      return [wellRead(`${name} ${found}`)];
    return [
      {
        read: `${name} ${found} is older than ${leastMajor}.${leastMinor}, the oldest that was tried`,
        cure: 'apt-get update && apt-get install --only-upgrade qemu-system-x86 libvirt-daemon-system',
        undo: 'Install the versions from before (apt-get takes PACKAGE=VERSION).',
      },
    ];
  }
  return [];
}
