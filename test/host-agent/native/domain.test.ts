// SPDX-License-Identifier: Apache-2.0
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Connection, openConnection } from '../../../host-agent/native/connection.js';
import type { Domain } from '../../../host-agent/native/domain.js';
import { errorNumber } from '../../../host-agent/native/error.js';
import { buildTimeout, builtAddon } from './children.js';

// What libvirt's test driver can do; the rest is tested on a libvirtd with QEMU (qemu.test.ts).

const uri = 'urn:vmcall:test';
let connection: Connection;
let domain: Domain;

beforeAll(() => builtAddon(), buildTimeout);
beforeAll(async () => {
  connection = await openConnection('test:///default');
  domain = await connection.domainByName('test');
});
afterAll(() => connection.close());

describe('a domain', () => {
  test('gives its state through a life', async () => {
    expect(await domain.state()).toEqual({ state: 'running', reason: 0 });
    await domain.suspend();
    expect((await domain.state()).state).toBe('paused');
    await domain.resume();
    await domain.destroy();
    expect((await domain.state()).state).toBe('shut off');
    await expect(domain.vcpus()).rejects.toMatchObject({ code: errorNumber.operationInvalid });
    await domain.start();
    expect(await domain.state()).toMatchObject({ state: 'running' });
  });

  test('gives the XML of the running domain and of its definition', async () => {
    expect(await domain.xml()).toMatch(/^<domain type='test' id='\d+'>/);
    expect(await domain.xml({ inactive: true })).toMatch(/^<domain type='test'>/);
  });

  test('keeps metadata, of the running domain and of its definition apart', async () => {
    await domain.setMetadata(uri, 'test', '<path wanted="vmcall">é</path>', 'live+config');
    expect(await domain.metadata(uri)).toBe('<path wanted="vmcall">é</path>');
    await domain.setMetadata(uri, 'test', "<path wanted='injected'/>", 'config');
    expect(await domain.metadata(uri, 'live')).toContain('vmcall');
    expect(await domain.metadata(uri, 'config')).toContain('injected');
    await domain.setMetadata(uri, 'test', null, 'live+config');
    for (const affect of ['live', 'config'] as const)
      await expect(domain.metadata(uri, affect)).rejects.toMatchObject({
        code: errorNumber.noDomainMetadata,
      });
  });

  test('says where its vCPUs run, and pins them', async () => {
    const [first, second] = await domain.vcpus();
    expect(first).toMatchObject({ number: 0, state: 'running', cpuTime: expect.any(BigInt) });
    expect(second?.affinity.length).toBeGreaterThan(1);
    await domain.pinVcpu(1, [1, 3]);
    expect((await domain.vcpuPins())[1]).toEqual([1, 3]);
    expect((await domain.vcpus())[1]?.affinity).toEqual([1, 3]);
    expect((await domain.vcpuPins())[0]).toEqual(first?.affinity);
    await expect(domain.pinVcpu(99, [0])).rejects.toMatchObject({ code: errorNumber.invalidArgument });
  });

  test('pins its emulator', async () => {
    await domain.pinEmulator([2]);
    expect(await domain.emulatorPin()).toEqual([2]);
  });

  test('has scheduler parameters, set in the type libvirt has for them', async () => {
    expect(await domain.schedulerParameters()).toEqual({ type: 'fair', values: { weight: 50 } });
    for (const weight of [51, 52n]) await domain.setSchedulerParameters({ weight });
    for (const weight of [-1, 0.5, 2 ** 32, -1n, true, '50'])
      await expect(domain.setSchedulerParameters({ weight })).rejects.toMatchObject({
        code: errorNumber.invalidArgument,
        message: "parameter 'weight' must be a whole number from 0 to 4294967295",
      });
    await expect(domain.setSchedulerParameters({ heft: 1 })).rejects.toMatchObject({
      code: errorNumber.invalidArgument,
      message: "the scheduler 'fair' of the domain has no parameter 'heft'",
    });
  });

  test('gives its statistics', async () => {
    const { domain: of, values } = await domain.stats(['state']);
    expect(of.name).toBe('test');
    expect(values).toEqual({ 'state.state': 1, 'state.reason': expect.any(Number) });
  });

  test('rejects with the error of libvirt what the driver cannot do', async () => {
    // Attaching is something that the test driver of libvirt 11 can do.
    await expect(domain.detachDevice("<hostdev mode='subsystem' type='pci'/>")).rejects.toMatchObject({
      name: 'LibvirtError',
      code: errorNumber.noSupport,
    });
  });
});
