// SPDX-License-Identifier: Apache-2.0
// Whatever else is lost or changed by others: the host agent finds the way back by itself.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { metadataPrefix, metadataUri } from '../../host-agent/libvirt/metadata.js';
import { closeCodes } from '../../src/protocol/codes.js';
import { onInjected, onVmcall, TestHost } from './support/test-host.js';

const host = new TestHost();

describe('the way back to the desired path by itself', () => {
  beforeEach(async () => {
    await host.startBoth();
    await host.vmcall('enable', 'test');
  });

  test('after the session was lost', async () => {
    await host.guest.stop();
    await host.bench.until({ phase: 'blocked', reason: { code: 'GUEST_ABSENT' }, guest: null });
    expect(await host.bench.switches()).toEqual(['1', '1']);
    await host.startGuest();
    await host.bench.until(onVmcall);
    expect(host.guest.told).toEqual(['vmcall']);
  });

  test('after the guest or its dataplane restarted', async () => {
    host.guest.dataplane = 'waiting';
    host.guest.tell();
    await host.bench.until({ phase: 'blocked', reason: { code: 'DATAPLANE_OFF' }, actual: 'unknown' });
    host.guest.dataplane = 'running';
    host.guest.reboot();
    await host.bench.until(onVmcall);
    expect(host.guest.told).toContain('vmcall');
  });

  test('after the domain was restarted, in another process', async () => {
    await host.handle.destroy();
    await host.guest.stop();
    await host.bench.until({
      domain: 'off',
      actual: 'off',
      phase: 'blocked',
      reason: { code: 'DOMAIN_OFF' },
    });
    await host.bench.startVm(4712);
    await host.handle.start();
    await host.startGuest();
    await host.bench.until(onVmcall);
    expect(await host.bench.switches()).toEqual(['1', '1']);
  });

  test('after the domain ended in the middle of a switch, and its guest with no word', async () => {
    host.guest.onTold = () => new Promise(() => {});
    const disabling = host.vmcall('disable', 'test');
    await expect.poll(() => host.guest.told, { timeout: 10_000 }).toEqual(['vmcall', 'injected']);
    await host.handle.destroy();
    // Not once the request's deadline has passed.
    await host.bench.agent.logged('SESSION_LOST');
    const closed = host.bench.agent.log.find(({ message }) => message === 'session closed');
    expect(closed).toMatchObject({ code: closeCodes.domainEnded });
    await host.bench.until({ domain: 'off', actual: 'off' });
    await disabling;
    await host.handle.start();
  });

  test('after the switches were thrown by hand', async () => {
    await writeFile(join(host.bench.kvm, 'vcpu_yield'), '0\n');
    // Whoever sees it first: the guest, which falls back and is asked again, or the agent, before a VM call was refused.
    await expect.poll(() => host.bench.switches(), { timeout: 10_000 }).toEqual(['1', '1']);
    // What the guest said before it fell back may be the last that the agent has heard.
    await expect.poll(() => host.guest.path, { timeout: 10_000 }).toBe('vmcall');
    await host.bench.until(onVmcall);
  });

  test('after the metadata was edited: another path, nonsense, nothing', async () => {
    await host.desire('injected');
    await host.bench.until(onInjected);
    expect(await host.bench.switches()).toEqual(['0', '0']);
    await host.desire('vmcall');
    await host.bench.until(onVmcall);
    await host.handle.setMetadata(metadataUri, 'other', "<desired path='fast'/>", 'live');
    const bad = await host.bench.until({ ...onInjected, desired_from: 'invalid' });
    expect(bad.problem).toContain('<desired path="fast"/>');
    expect((await host.vmcall('status', 'test')).stdout).toContain('BAD_METADATA: ');
    await host.bench.agent.logged('bad metadata');
    await host.desire('vmcall');
    await host.bench.until(onVmcall);
    await host.handle.setMetadata(metadataUri, metadataPrefix, null, 'live+config');
    await host.bench.until({ ...onInjected, desired_from: 'default' });
  });
});

describe('libvirtd', () => {
  test('killed: the last desired path is shown as such; started again: it is read again', async () => {
    await host.startBoth();
    await host.vmcall('enable', 'test');
    await host.libvirt.close();
    await host.libvirtd.stop();
    await host.bench.until({
      desired: 'vmcall',
      actual: 'vmcall',
      phase: 'blocked',
      reason: { code: 'LIBVIRT_LOST' },
    });
    const { exitCode, stderr } = await host.vmcall('disable', 'test');
    expect([exitCode, stderr]).toEqual([1, expect.stringContaining('LIBVIRT_UNREACHABLE')]);
    expect(await host.bench.switches()).toEqual(['1', '1']);
    await host.bench.agent.logged('libvirt cannot be reached');
    await host.connect(host.libvirtd.folder);
    // The test driver keeps nothing; libvirt's others do.
    await host.desire('vmcall');
    await host.bench.until(onVmcall);
  });
});
