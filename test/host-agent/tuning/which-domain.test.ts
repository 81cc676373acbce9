// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from 'vitest';
import { host, status, uuid } from './changed-host.js';

describe('which domain', () => {
  const words = (...words: string[]) => `${words.join('\0')}\0`;
  test.each([
    ['/usr/libexec/qemu-kvm', 'plain'],
    ['/nix/store/abc/bin/.qemu-system-x86_64-wrapped', 'plain'],
    ['/opt/kata/bin/qemu-system-x86_64-experimental', 'plain'],
    ['/usr/bin/qemu-system-x86_64 (deleted)', 'plain'],
    ['my-emulator', 'comma, and space'],
  ])('started as %s, named "%s"', async (program, name) => {
    const cmdline = words(
      program,
      '-name',
      `guest=${name.replaceAll(',', ',,')},debug-threads=on`,
      '-uuid',
      uuid.toUpperCase(),
    );
    const system = host('xeon-rt', { files: { '/proc/2000/cmdline': cmdline } });
    for (const word of [name, uuid, uuid.toUpperCase(), uuid.replaceAll('-', '')])
      expect(await (await system.domains.find(word))?.facts()).toMatchObject({ name, pid: 2000, uuid });
  });

  test('by the file that runs, where the words name a loader and KVM’s folder is not to be seen', async () => {
    const cmdline = words(
      '/lib64/ld-linux-x86-64.so.2',
      '/usr/bin/qemu-system-x86_64',
      '-name',
      'vm7',
      '-accel',
      'kvm',
    );
    const system = host('xeon-rt', {
      files: { '/proc/2000/cmdline': cmdline, '/sys/kernel/debug/kvm/2000-14/vcpu0/pid': null },
      links: { '/proc/2000/exe': '/usr/bin/qemu-system-x86_64' },
    });
    expect(await (await system.domains.find('vm7'))?.facts()).toMatchObject({ pid: 2000 });
  });

  test('libvirt’s id, name with entities and user’s own libvirt, out of its note', async () => {
    const note = status(2000, 7, 'R&amp;D &lt;1&gt;', '');
    const system = host('xeon-rt', {
      files: { '/run/user/1000/libvirt/qemu/run/x.xml': note, '/proc/2000/status': 'Uid:\t1000\t1000\n' },
    });
    for (const word of ['7', 'R&D <1>', uuid]) expect(await system.domains.find(word)).not.toBeNull();
  });

  test.each([
    [
      'a user’s, of another user’s process',
      {
        '/run/user/1000/libvirt/qemu/run/x.xml': status(2000, 7, 'dpdk9', ''),
        '/proc/2000/status': 'Uid:\t0\t0\t0\t0\n',
      },
    ],
    [
      'the system’s, of a process that is another by now',
      {
        '/run/libvirt/qemu/x.xml': status(2000, 7, 'dpdk9', '', '11111111-2222-4333-8444-555555555555'),
      },
    ],
  ])('a note of libvirt’s is not believed: %s', async (_what, files) => {
    const { domains } = host('xeon-rt', { files });
    expect(await domains.find('dpdk9')).toBeNull();
    expect(await domains.find('dpdk0')).not.toBeNull();
  });

  test.each([
    ['a name and another’s id', '7', { '/run/libvirt/qemu/a.xml': status(2000, 7, 'a', '') }, '7'],
    ['two of one name', 'twin', {}, 'twin'],
  ])('%s: refused, never one of them by chance', async (_what, name, files, word) => {
    const system = host('xeon-rt', {
      files: {
        ...(name === 'twin' && { '/proc/2000/cmdline': words('kvm', '-name', 'twin', '-uuid', uuid) }),
        '/proc/3000/cmdline': words('/usr/bin/kvm', '-name', name),
        ...files,
      },
      threads: { '3000': ['kvm', 'other', '0-1'] },
    });
    await expect(system.domains.find(word)).rejects.toMatchObject({ code: 'DOMAIN_AMBIGUOUS', exitCode: 2 });
  });
});
