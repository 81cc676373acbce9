// SPDX-License-Identifier: Apache-2.0
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildProbe } from './build.js';

const unsupported = 4;

/** Machines, as the probe sees them: its own /dev, and what its CPU has. Mount namespaces, so root. */
const machines = [
  {
    name: 'KVM is not loaded on AMD',
    device: '',
    flags: 'fpu svm npt',
    reason: /\/dev\/kvm: No such file.*modprobe kvm_amd/,
  },
  {
    name: 'KVM is not loaded on Intel',
    device: '',
    flags: 'fpu vmx ept',
    reason: /\/dev\/kvm: No such file.*modprobe kvm_intel/,
  },
  {
    name: 'the machine is a VM without nested virtualisation',
    device: '',
    flags: 'fpu svm_lock hypervisor lahf_lm',
    reason: /virtual machine whose CPU has neither svm nor vmx.*nested=1/,
  },
  {
    name: 'the CPU has none, or the firmware has it off',
    device: '',
    flags: 'fpu lahf_lm',
    reason: /neither svm nor vmx.*firmware/,
  },
  {
    name: 'nothing is behind the device',
    device: 'mknod /dev/kvm c 10 250',
    flags: 'fpu svm',
    reason: /\/dev\/kvm: No such device.*modprobe kvm_amd/,
  },
  {
    name: 'the device is closed to this user',
    device: 'mknod -m 600 /dev/kvm c 10 232',
    flags: 'fpu svm',
    user: 'setpriv --reuid 65534 --regid 65534 --clear-groups',
    reason: /\/dev\/kvm: Permission denied.*usermod -aG kvm USER/,
  },
  {
    name: 'the device is another',
    device: 'mknod -m 666 /dev/kvm c 1 3',
    flags: 'fpu svm',
    reason: /\/dev\/kvm is not KVM's/,
  },
];

describe('vmcall-probe where it cannot measure', () => {
  let probe: string;
  let folder: string;

  beforeAll(async () => {
    probe = await buildProbe();
    folder = await mkdtemp(join(tmpdir(), 'vmcall-probe-machines-'));
  }, 120_000);
  afterAll(() => rm(folder, { recursive: true, force: true }));

  test.each(machines)('exits 4 and says why, if $name', async ({ device, flags, user = '', reason }) => {
    const cpuinfo = join(folder, 'cpuinfo');
    await writeFile(cpuinfo, `model name\t: a CPU\nflags\t\t: ${flags}\nbugs\t\t:\n\n`);
    const set = [
      'mount -t tmpfs -o mode=755,dev tmpfs /dev',
      device,
      `mount --bind ${cpuinfo} /proc/cpuinfo`,
    ];
    const script = [...set.filter(Boolean), `exec ${user} "$0" --json --wakes 10`].join(' && ');
    const result = await execa('unshare', ['--mount', 'sh', '-c', script, probe], { reject: false });
    expect(result.stderr).toMatch(reason);
    expect(result).toMatchObject({ exitCode: unsupported, stdout: '' });
  });
});
