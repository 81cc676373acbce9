// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, rmSync } from 'node:fs';
import { cp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildPackages } from '../../packaging/build/packages.js';
import { supported } from '../../src/setup/supported.js';
import { projectRoot } from '../../src/support/paths.js';
import { stderrProgress } from '../../src/support/progress.js';
import { containerRoot } from './container-root.js';
import { Containers, type Side } from './containers.js';
import { listFiles } from './files.js';

const minutes = 60_000;
const playbook = join(projectRoot, 'packaging', 'ansible', 'site.yml');
const fixtures = join(projectRoot, 'test', 'packaging', 'fixtures');
const sides = ['host', 'guest'] as const;
/** The file that `vmcall enroll` writes, as far as the role looks at it: the agent that reads it is not of this. */
const configuration = '[host]\nurl = "wss://192.168.122.1:8645/guest"\n';

describe.each(supported.distributions)('the Ansible roles on two machines with $codename', (distribution) => {
  let containers: Containers;
  let work = '';
  let inventory = '';

  beforeAll(async () => {
    const progress = stderrProgress();
    work = mkdtempSync(join(tmpdir(), 'vmcall-ansible-'));
    const repository = join(work, 'packages');
    await cp(await buildPackages(distribution, progress), repository, { recursive: true });
    await cp(join(fixtures, 'libvirt-test.xml'), join(repository, 'libvirt-test.xml'));
    containers = await Containers.boot(await containerRoot(distribution, progress), repository);
    for (const side of sides)
      await containers.run(side, 'rm -f /etc/apt/sources.list /etc/apt/sources.list.d/*');
    inventory = join(work, 'inventory.yml');
    await writeFile(inventory, JSON.stringify(inventoryOf(containers)));
  }, 20 * minutes);
  afterAll(async () => {
    await containers?.stop();
    rmSync(work, { recursive: true, force: true });
  });

  /** Plays it on both, and gives what came of it on each. */
  async function play(...options: string[]) {
    const { exitCode, all, stdout } = await execa(
      'ansible-playbook',
      ['--inventory', inventory, playbook, ...options],
      { all: true, reject: false, env: { ANSIBLE_NOCOLOR: '1', ANSIBLE_HOST_KEY_CHECKING: 'false' } },
    );
    const recap: Record<string, { changed: number; failed: number }> = Object.fromEntries(
      [...stdout.matchAll(/^(\w+) +: ok=\d+ +changed=(\d+) +unreachable=(\d+) +failed=(\d+)/gm)].map(
        ([, name, changed, unreachable, failed]) => [
          name,
          { changed: Number(changed), failed: Number(unreachable) + Number(failed) },
        ],
      ),
    );
    return { exitCode, all, recap };
  }

  const expectAll = (played: Awaited<ReturnType<typeof play>>, isSo: (changed: number) => boolean) => {
    expect(played.exitCode, played.all).toBe(0);
    expect(Object.keys(played.recap)).toEqual(['guest', 'host']);
    for (const { changed, failed } of Object.values(played.recap)) {
      expect(failed).toBe(0);
      expect(isSo(changed), played.all).toBe(true);
    }
  };
  const files = async () => Object.fromEntries(await Promise.all(sides.map(async (s) => [s, await list(s)])));
  const list = (side: Side) => listFiles(containers, side);

  test('check mode tells of changes on a new machine, and makes none', { timeout: 5 * minutes }, async () => {
    const before = await files();
    expectAll(await play('--check', '--diff'), (changed) => changed > 0);
    expect(await files()).toEqual(before);
  });

  test('a play installs, configures and starts', { timeout: 10 * minutes }, async () => {
    expectAll(await play(), (changed) => changed > 0);
    for (const side of sides)
      expect((await containers.run(side, 'systemctl is-active vmcall-host-agent')).stdout).toBe('active');
    expect((await containers.run('host', 'vmcall status')).stdout).toContain('dpdk0');
    expect((await containers.run('guest', 'stat -c %a /etc/vmcall/guest-agent.toml')).stdout).toBe('600');
    expect((await containers.run('guest', 'systemctl is-enabled vmcall-guest-agent')).stdout).toBe('enabled');
  });

  test('a second play changes nothing, in check mode and without', { timeout: 5 * minutes }, async () => {
    expectAll(await play('--check'), (changed) => changed === 0);
    expectAll(await play(), (changed) => changed === 0);
  });

  test('what was changed by hand is told in check mode, and mended', { timeout: 5 * minutes }, async () => {
    const address = 'grep ^address /etc/vmcall/host-agent.toml';
    for (const side of sides)
      await containers.run(
        side,
        `sed -i 's/^address = .*/address = "127.0.0.9"/' /etc/vmcall/host-agent.toml`,
      );
    expectAll(await play('--check'), (changed) => changed > 0);
    expect((await containers.run('host', address)).stdout).toBe('address = "127.0.0.9"');
    expectAll(await play(), (changed) => changed > 0);
    expect((await containers.run('host', address)).stdout).toBe('address = "0.0.0.0"');
  });

  test('a host that is not fit fails at the gate, with the cures', { timeout: 5 * minutes }, async () => {
    const { exitCode, all, recap } = await play('--extra-vars', '{"vmcall_check_domains": ["dpdk0"]}');
    expect(exitCode, all).toBe(2);
    expect(recap.host?.failed).toBe(1);
    expect(all).toContain('vmcall-check');
  });
});

/** Both are hosts, and one is a guest too. */
function inventoryOf(containers: Containers) {
  const host = (side: Side) => ({ ansible_host: String(containers.leader(side)) });
  return {
    all: {
      vars: {
        ansible_ssh_executable: join(import.meta.dirname, 'ssh-to-container.sh'),
        ansible_ssh_transfer_method: 'piped',
        ansible_python_interpreter: '/usr/bin/python3',
        ansible_user: 'root',
        vmcall_kernel_modules: false,
        vmcall_guest_driver: false,
        vmcall_hugepages: 0,
        vmcall_guests_address: '0.0.0.0',
        vmcall_libvirt_uri: 'test:///srv/vmcall-packages/libvirt-test.xml',
        vmcall_guest_configuration: configuration,
      },
      children: {
        vmcall_hosts: { hosts: { host: host('host'), guest: host('guest') } },
        vmcall_guests: { hosts: { guest: host('guest') } },
      },
    },
  };
}
