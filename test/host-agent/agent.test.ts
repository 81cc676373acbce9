// SPDX-License-Identifier: Apache-2.0
// The host agent as a process, on a libvirtd of its own with libvirt's test driver, on a folder in place of KVM's files,
// with a guest over TLS: that it switches, and what it makes of what the guest reports.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { metadataPrefix, metadataUri } from '../../host-agent/libvirt/metadata.js';
import type { Domain } from '../../host-agent/native/domain.js';
import { Command } from '../guest-agent/support/processes.js';
import { domain } from './support/host-bench.js';
import { onInjected, onVmcall, TestHost } from './support/test-host.js';

const host = new TestHost();

describe('enable and disable', () => {
  beforeEach(() => host.startBoth());

  test('allow in KVM and tell the guest; and back', async () => {
    expect(await host.vmcall('enable', domain.name)).toMatchObject({ exitCode: 0, stdout: 'test: vmcall' });
    expect(await host.bench.switches()).toEqual(['1', '1']);
    expect(host.guest.told).toEqual(['vmcall']);
    expect(await host.bench.until(onVmcall)).toMatchObject({ kvm: { support: 'present', vcpu_yield: true } });
    expect(await host.handle.metadata(metadataUri, 'live')).toBe('<desired path="vmcall"/>');
    expect(await host.handle.metadata(metadataUri, 'config')).toBe('<desired path="vmcall"/>');

    let atGuestsTurn: string[] = [];
    host.guest.onTold = async () => {
      atGuestsTurn = await host.bench.switches();
    };
    expect(await host.vmcall('disable', domain.uuid)).toMatchObject({
      exitCode: 0,
      stdout: 'test: injected',
    });
    expect(atGuestsTurn).toEqual(['1', '1']);
    expect(await host.bench.switches()).toEqual(['0', '0']);
    expect(host.guest.told).toEqual(['vmcall', 'injected']);
    await host.bench.until(onInjected);
  });

  test('twice is as good as once', async () => {
    for (const _time of [1, 2]) expect(await host.vmcall('enable', '1')).toMatchObject({ exitCode: 0 });
    expect(host.guest.told).toEqual(['vmcall']);
  });

  test('with --dry-run say what would be done and do nothing', async () => {
    const { stdout, exitCode } = await host.vmcall('enable', 'test', '--dry-run');
    expect(exitCode).toBe(0);
    expect(stdout.split('\n')).toEqual([
      'test: would change desired from injected to vmcall',
      '  then allow VM calls in KVM',
      '  then tell the guest to take the VM-call path',
    ]);
    await expect(host.handle.metadata(metadataUri)).rejects.toThrow();
    expect(await host.bench.switches()).toEqual(['0', '0']);
  });

  test('with --no-wait leave it to the agent', async () => {
    expect(await host.vmcall('enable', 'test', '--no-wait')).toMatchObject({ exitCode: 0 });
    await host.bench.until(onVmcall);
  });

  test('a guest that refuses: switches off, traffic on the injected path, and the reason; then it can', async () => {
    host.guest.refuses = true;
    const { exitCode, stderr } = await host.vmcall('enable', 'test');
    expect(exitCode).toBe(1);
    expect(stderr).toContain(
      'PATH_REFUSED: test: the guest refused (ENOENT): it cannot (desired vmcall, actual injected)',
    );
    await expect.poll(() => host.bench.switches()).toEqual(['0', '0']);
    expect(host.guest.path).toBe('injected');
    host.guest.refuses = false;
    await host.bench.until(onVmcall);
  });

  test('a refusal of what was desired before stands in the way of nothing', async () => {
    await host.bench.configure({
      reconciler: 'interval_s = 0.3\nyields_within_s = 3\nretry_least_s = 50\nretry_most_s = 60',
    });
    host.bench.agent.child.kill('SIGHUP');
    await host.bench.agent.logged('configuration reloaded');
    await host.bench.until({ guest: { health: { dataplane: 'running' } } });
    let refuse = () => {};
    host.guest.refuses = true;
    host.guest.onTold = (path) =>
      path === 'vmcall' ? new Promise((resolve) => (refuse = resolve)) : undefined;
    await host.bench.client.desire(domain.uuid, 'vmcall');
    await expect.poll(() => host.guest.told, { timeout: 10_000 }).toContain('vmcall');
    await host.bench.client.desire(domain.uuid, 'poll');
    refuse();
    await host.bench.until({ desired: 'poll', actual: 'poll', phase: 'reached' });
  });

  test('a guest that says yes and stays where it is', async () => {
    host.guest.ignores = true;
    const { exitCode, stderr } = await host.vmcall('enable', 'test');
    expect([exitCode, stderr]).toEqual([1, expect.stringContaining('GUEST_CONTRADICTS')]);
    await expect.poll(() => host.bench.switches()).toEqual(['0', '0']);
  });

  test('a guest that says it is on vmcall, where KVM counts nothing', async () => {
    host.guest.lies = true;
    const { exitCode, stderr } = await host.vmcall('enable', 'test');
    expect([exitCode, stderr]).toEqual([1, expect.stringContaining('YIELDS_MISSING: ')]);
    await host.bench.until({ actual: 'unknown', guest: { health: { path: 'vmcall', upheld: true } } });
    host.guest.lies = false;
    await host.bench.until(onVmcall);
    host.guest.lies = true;
    await host.bench.until({ actual: 'unknown', phase: 'blocked', reason: { code: 'YIELDS_MISSING' } });
  });

  test('a guest that does not go back: KVM has the last word, and it is shown', async () => {
    await host.vmcall('enable', 'test');
    host.guest.ignores = true;
    host.guest.lies = true;
    const { exitCode, stderr } = await host.vmcall('disable', 'test');
    expect([exitCode, stderr]).toEqual([1, expect.stringContaining('GUEST_CONTRADICTS')]);
    expect(await host.bench.switches()).toEqual(['0', '0']);
    await host.bench.until({
      desired: 'injected',
      actual: 'injected',
      guest: { health: { path: 'vmcall' } },
    });
    host.guest.ignores = false;
    await host.bench.until(onInjected);
  });
});

describe('events', () => {
  test('alone are enough: metadata, health, the life of the domain', async () => {
    await host.bench.configure({ reconciler: 'interval_s = 1000\nyields_within_s = 3000' });
    await host.bench.startAgent();
    await host.bench.until({ desired_from: 'default' });
    await host.desire('vmcall');
    await host.bench.until({ phase: 'blocked', reason: { code: 'GUEST_ABSENT' } });
    await host.startGuest();
    await host.bench.until(onVmcall);
    host.guest.reboot();
    await expect.poll(() => host.guest.path, { timeout: 10_000 }).toBe('vmcall');
    await host.desire('injected');
    await host.bench.until(onInjected);
    await host.handle.destroy();
    await host.bench.until({ domain: 'off' });
    await host.handle.start();
    await host.bench.until({ domain: 'running' });
  });
});

describe('a kernel without the series', () => {
  test('is not supported: exit code 4, nothing sent, nothing changed', async () => {
    await host.bench.startVm(99, []);
    await host.startBoth();
    const { exitCode, stderr } = await host.vmcall('enable', 'test');
    expect(exitCode).toBe(4);
    expect(stderr).toContain('KVM_UNSUPPORTED');
    expect(stderr).toContain('no vcpu_yield, irqfd_hardirq, vcpu_yields');
    expect(host.guest.told).toEqual(['injected'].slice(0, host.guest.told.length));
    await host.bench.until({ actual: 'injected', kvm: { support: 'unsupported', vcpu_yield: null } });
  });
});

/** Work with another domain, `second`, which is defined and does not run. */
async function withSecond(work: (second: Domain) => Promise<void>): Promise<void> {
  const xml = (await host.handle.xml({ inactive: true })).replaceAll(
    /<uuid>.*<\/uuid>|<name>test<\/name>/g,
    (found) => (found.startsWith('<name>') ? '<name>second</name>' : ''),
  );
  const second = await host.libvirt.defineDomain(xml);
  try {
    await expect
      .poll(async () => (await host.vmcall('status', 'second')).exitCode, { timeout: 15_000 })
      .toBe(0);
    await work(second);
  } finally {
    await second.destroy().catch(() => {});
    await second.undefine().catch(() => {});
  }
}

describe('several domains', () => {
  beforeEach(() => host.startBoth());

  test('at once: each is reported, and one that cannot keeps none from it', async () => {
    await withSecond(async (second) => {
      const enabled = await host.vmcall('enable', 'second', 'test', 'nobody', domain.uuid);
      expect(enabled).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('NO_DOMAIN') });
      await host.bench.until(onInjected);
      expect(await host.vmcall('enable', 'second', 'test', domain.uuid)).toMatchObject({
        exitCode: 1,
        stdout: 'test: vmcall',
        stderr: expect.stringContaining('DOMAIN_OFF: second: the domain does not run'),
      });
      expect(await second.metadata(metadataUri, 'config')).toBe('<desired path="vmcall"/>');
      expect(host.guest.told).toEqual(['vmcall']);
      const { exitCode, stdout } = await host.vmcall('disable', '--all');
      expect([exitCode, stdout.split('\n').sort()]).toEqual([0, ['second: off', 'test: injected']]);
      expect(await second.metadata(metadataUri, 'config')).toBe('<desired path="injected"/>');
      expect(await host.bench.switches()).toEqual(['0', '0']);
    });
  });

  test('one with 3,000 characters of nonsense in its metadata keeps none from the others', async () => {
    await withSecond(async (second) => {
      const nonsense = `<desired path="vmcall" ${'x'.repeat(3000)}="1"/>`;
      await second.setMetadata(metadataUri, metadataPrefix, nonsense, 'config');
      await expect
        .poll(async () => (await host.vmcall('status')).stdout, { timeout: 15_000 })
        .toMatch(/^test +injected .*^second .*BAD_METADATA: /ms);
      const enabled = await host.vmcall('enable', '--all');
      expect([enabled.exitCode, enabled.stdout]).toEqual([1, 'test: vmcall']);
      expect(enabled.stderr).not.toContain('ZodError');
    });
  });

  test('with --dry-run: the plan for each', async () => {
    await withSecond(async () => {
      const { stdout } = await host.vmcall('enable', '--all', '--dry-run');
      expect(stdout.match(/^\w+: would change desired from injected to vmcall$/gm)).toHaveLength(2);
      expect(stdout).toContain('then it would wait: DOMAIN_OFF');
    });
  });

  test.each([[[]], [['test', '--all']]])('are not %j', async (words) => {
    expect(await host.vmcall('enable', ...words)).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining('WHICH_DOMAINS'),
    });
  });
});

describe('a domain that is not persistent, or does not run', () => {
  test('keeps the desired path where it can', async () => {
    await host.bench.startAgent();
    await withSecond(async (second) => {
      expect(await host.vmcall('enable', 'second')).toMatchObject({
        exitCode: 1,
        stderr: expect.stringContaining('DOMAIN_OFF'),
      });
      expect(await second.metadata(metadataUri, 'config')).toBe('<desired path="vmcall"/>');
      await second.start();
      await second.undefine();
      expect(await host.vmcall('disable', 'second', '--no-wait')).toMatchObject({ exitCode: 0 });
      expect(await second.metadata(metadataUri, 'live')).toBe('<desired path="injected"/>');
      await second.destroy();
      await expect
        .poll(async () => (await host.vmcall('status', 'second')).exitCode, { timeout: 15_000 })
        .toBe(2);
    });
  });
});

describe('the configuration', () => {
  test('with faults ends it with 3, and names file, key and value', async () => {
    await writeFile(host.bench.file, '[guests]\naddress = "here"\nport = 70000\n[libvirt]\nurl = "x"\n');
    const agent = Command.start(['host-agent', '--config', host.bench.file]);
    expect(await agent.exited).toEqual([3, null]);
    for (const line of ['guests.address = "here": ', 'guests.port = 70000: ', 'libvirt.url: no such key'])
      expect(agent.said).toContain(`${host.bench.file}: ${line}`);
  });

  test('is reloaded; one with faults changes nothing', async () => {
    await host.startBoth();
    // Once more, for the port of the first is in the file only now.
    await host.bench.agent.kill('SIGKILL');
    await host.bench.startAgent();
    await host.bench.until(onInjected);
    await host.vmcall('enable', 'test');
    await host.bench.configure({ reconciler: 'interval_s = "often"' });
    host.bench.agent.child.kill('SIGHUP');
    await host.bench.agent.logged('reconciler.interval_s = \\"often\\"');
    await host.bench.configure({ address: '192.0.2.1' });
    host.bench.agent.child.kill('SIGHUP');
    await host.bench.agent.logged('LISTEN_FAILED: guests.address 192.0.2.1');
    await host.bench.until(onVmcall);

    const moved = join(host.bench.folder, 'moved.sock');
    await host.bench.configure({ socket: moved, uri: 'test:///default' });
    host.bench.agent.child.kill('SIGHUP');
    await host.bench.agent.logged('configuration reloaded');
    // Another libvirt, which knows of no desired path.
    await expect
      .poll(
        async () => (await host.vmcall('status', 'test', '--socket', moved, '-c', 'test:///default')).stdout,
        {
          timeout: 15_000,
        },
      )
      .toMatch(/test +injected +injected/);
    expect(await host.bench.switches()).toEqual(['0', '0']);
    expect(host.guest.told).toEqual(['vmcall', 'injected']);
  });
});
