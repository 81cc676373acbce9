// SPDX-License-Identifier: Apache-2.0
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { type Connection, openConnection } from '../../../host-agent/native/connection.js';
import type { Domain } from '../../../host-agent/native/domain.js';
import { errorNumber } from '../../../host-agent/native/error.js';
import type { ConnectionEvent } from '../../../host-agent/native/events.js';
import { buildTimeout, builtAddon } from './children.js';
import { type Libvirtd, startLibvirtd } from './libvirtd.js';

// On a real libvirtd and a real, emulated domain. It is unprivileged: CPU tuning by cgroup and a NIC that is
// really passed through are for the lab.

const xml = `
<domain type='qemu'>
  <name>vmcall-addon-test</name>
  <memory unit='MiB'>32</memory>
  <vcpu>2</vcpu>
  <os><type arch='x86_64' machine='q35'>hvm</type></os>
  <devices>
    <emulator>/usr/bin/qemu-system-x86_64</emulator>
    <controller type='usb' model='none'/>
    <memballoon model='none'/>
  </devices>
</domain>`;

const nic = `
<hostdev mode='subsystem' type='pci' managed='yes'>
  <source><address domain='0' bus='0xff' slot='0x1f' function='7'/></source>
</hostdev>`;

let libvirtd: Libvirtd;
let connection: Connection;
let domain: Domain;
const events: ConnectionEvent[] = [];
const lifecycle = () => events.map((event) => event.type === 'lifecycle' && event.event);

beforeAll(() => builtAddon(), buildTimeout);
beforeAll(async () => {
  libvirtd = await startLibvirtd();
  connection = await openConnection(libvirtd.uri('qemu:///session'), {
    onEvent: (event) => events.push(event),
  });
  domain = await connection.defineDomain(xml);
}, 60_000);

afterAll(async () => {
  await domain?.destroy().catch(() => {});
  await connection?.close();
  await libvirtd?.stop();
});

describe('with QEMU', { timeout: 60_000 }, () => {
  test('a passed-through NIC is added to a definition and taken away', async () => {
    await domain.attachDevice(nic, 'config');
    expect(await domain.xml({ inactive: true })).toMatch(
      /<address domain='0x0000' bus='0xff' slot='0x1f' function='0x7'\/>/,
    );
    await domain.detachDevice(nic, 'config');
    expect(await domain.xml({ inactive: true })).not.toContain('<hostdev');
    await expect(domain.detachDevice(nic, 'config')).rejects.toMatchObject({ name: 'LibvirtError' });
  });

  test('a domain starts, is pinned and measured, and ends, and events tell of it', async () => {
    await domain.pinVcpu(1, [0], 'config');
    await domain.start();
    expect(await domain.state()).toMatchObject({ state: 'running' });
    await domain.pinVcpu(0, [0], 'live+config');
    await domain.pinEmulator([0], 'live');
    expect((await domain.vcpus()).map(({ affinity }) => affinity)).toEqual([[0], [0]]);
    expect(await domain.vcpuPins('config')).toEqual([[0], [0]]);
    expect(await domain.emulatorPin('live')).toEqual([0]);
    const { values } = await domain.stats(['state', 'cpu-total', 'vcpu']);
    expect(values).toMatchObject({ 'state.state': 1, 'vcpu.current': 2, 'vcpu.0.time': expect.any(BigInt) });
    expect(values['cpu.time']).toBeGreaterThan(0n);
    await expect(domain.attachDevice(nic, 'live')).rejects.toMatchObject({ name: 'LibvirtError' });
    await domain.destroy();
    await domain.undefine();
    await vi.waitFor(() => expect(lifecycle()).toContain('undefined'));
    expect(lifecycle()).toEqual(expect.arrayContaining(['defined', 'started', 'stopped', 'undefined']));
  });

  test('what an unprivileged libvirtd cannot do is rejected with its own error', async () => {
    await expect(domain.schedulerParameters('config')).rejects.toMatchObject({
      name: 'LibvirtError',
      code: expect.any(Number),
    });
    await expect(connection.domainByName('absent')).rejects.toMatchObject({ code: errorNumber.noDomain });
  });
});
