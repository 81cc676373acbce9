// SPDX-License-Identifier: Apache-2.0
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type Connection, openConnection } from '../../../host-agent/native/connection.js';
import { errorNumber, LibvirtError } from '../../../host-agent/native/error.js';
import { buildTimeout, builtAddon } from './children.js';

const testUuid = '6695eb01-f6a4-8304-79aa-97f2502e193f';
/** virErrorDomain and virErrorLevel, libvirt/virterror.h. */
const from = { rpc: 7, test: 12, domain: 20 };
const levelError = 2;

beforeAll(() => builtAddon(), buildTimeout);

let connections: Connection[] = [];
async function openTest(options = {}): Promise<Connection> {
  const connection = await openConnection('test:///default', options);
  connections.push(connection);
  return connection;
}
afterEach(async () => {
  await Promise.all(connections.map((connection) => connection.close()));
  connections = [];
});

async function failure(promise: Promise<unknown>): Promise<LibvirtError> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof LibvirtError) return error;
  throw new Error('rejected with no LibvirtError', { cause: error });
}

describe('a connection', () => {
  test('finds a domain by name, id and UUID, and lists all', async () => {
    const connection = await openTest();
    const identity = { name: 'test', uuid: testUuid, id: 1 };
    expect(await connection.domainByName('test')).toMatchObject(identity);
    expect(await connection.domainById(1)).toMatchObject(identity);
    expect(await connection.domainByUuid(testUuid)).toMatchObject(identity);
    expect((await connection.domains()).map(({ name }) => name)).toEqual(['test']);
  });

  test('keeps the error of libvirt whole', async () => {
    const connection = await openTest();
    for (const lookUp of [
      () => connection.domainByName('absent'),
      () => connection.domainById(4711),
      () => connection.domainByUuid('00000000-0000-4000-8000-000000000000'),
    ]) {
      const error = await failure(lookUp());
      expect(error).toMatchObject({ code: errorNumber.noDomain, domain: from.test, level: levelError });
      expect(error.message).toMatch(/^Domain not found/);
      expect(error.stack).toContain('connection.test.ts');
    }
    expect(await failure(connection.domainByUuid('no uuid'))).toMatchObject({
      code: errorNumber.invalidArgument,
      domain: from.domain,
    });
  });

  test('that cannot be opened says why', async () => {
    const error = await failure(openConnection('test+unix:///default?socket=/nonexistent/libvirt-sock'));
    expect(error).toMatchObject({ code: errorNumber.systemError, domain: from.rpc, level: levelError });
    expect(error.message).toMatch(/\/nonexistent\/libvirt-sock.*No such file/);
  });

  test('gives the capabilities of host and hypervisor', async () => {
    expect(await (await openTest()).capabilities()).toMatch(/^<capabilities>[\s\S]*<host>[\s\S]*<guest>/);
  });

  test('gives the statistics of all domains, 64-bit counters as bigint whatever their value', async () => {
    const [record, ...others] = await (await openTest()).stats(['state', 'vcpu', 'iothread']);
    expect(others).toEqual([]);
    expect(record?.domain).toEqual({ name: 'test', uuid: testUuid, id: 1 });
    expect(record?.values).toMatchObject({ 'state.state': 1, 'state.reason': 0 });
  });

  test('opened read-only refuses changes', async () => {
    const domain = await (await openTest({ readOnly: true })).domainByName('test');
    expect(await failure(domain.suspend())).toMatchObject({ code: errorNumber.operationDenied });
    expect((await domain.state()).state).toBe('running');
  });

  test('defines a domain, which goes when it is undefined', async () => {
    const connection = await openTest();
    const domain = await connection.defineDomain(
      "<domain type='test'><name>second</name><memory>1024</memory><os><type>hvm</type></os></domain>",
    );
    expect(domain.id).toBeNull();
    expect((await domain.state()).state).toBe('shut off');
    await domain.undefine();
    expect((await failure(connection.domainByName('second'))).code).toBe(errorNumber.noDomain);
  });
});

describe('after close', () => {
  const closed = expect.objectContaining({ code: 'LIBVIRT_CLOSED' });

  test('a connection and its domains refuse each call, and closing again does nothing', async () => {
    const connection = await openTest();
    const domain = await connection.domainByName('test');
    await connection.close();
    for (const call of [
      () => connection.capabilities(),
      () => connection.domains(),
      () => connection.domainByName('test'),
      () => connection.domainById(1),
      () => connection.domainByUuid(testUuid),
      () => connection.defineDomain('<domain/>'),
      () => connection.stats(['state']),
      () => domain.state(),
      () => domain.metadata('urn:vmcall:test'),
      () => domain.pinVcpu(0, [0]),
    ])
      await expect(call()).rejects.toEqual(closed);
    await connection.close();
    await domain.close();
  });

  test('a domain refuses each call and its connection goes on', async () => {
    const connection = await openTest();
    const domain = await connection.domainByName('test');
    await domain.close();
    await expect(domain.state()).rejects.toEqual(closed);
    expect((await (await connection.domainByName('test')).state()).state).toBe('running');
  });

  test('calls under way end as they would, but hand out no domain', async () => {
    const connection = await openTest();
    const domain = await connection.domainByName('test');
    // All at once: whichever call ends first, what it rejects with has somebody waiting for it.
    const [state, found] = await Promise.allSettled([
      domain.state(),
      connection.domainByName('test'),
      connection.close(),
    ]);
    expect(state).toMatchObject({ status: 'fulfilled', value: { state: 'running' } });
    expect(found).toEqual({ status: 'rejected', reason: closed });
  });
});

test('arguments out of their bounds are refused by name, before libvirt sees them', async () => {
  const connection = await openTest();
  const domain = await connection.domainByName('test');
  const bad = JSON.parse('[null, 1.5, {}]') as never[];
  for (const [call, message] of [
    [() => openConnection('test:///default\0'), /^uri must not contain a NUL/],
    [() => openConnection('x'.repeat(5000)), /^uri must be 4096 bytes at most, not 5000$/],
    [() => connection.domainByName(bad[0] as never), /^name must be a string, not null$/],
    [() => connection.domainById(-1), /^id must be a whole number from 0 to 2147483647, not the number -1$/],
    [() => connection.domainById(Number.NaN), /^id must be a whole number.*NaN$/],
    [() => connection.stats([]), /^groups must be an array of 1 to 11 elements, not of 0$/],
    [() => connection.stats(['cpu' as never]), /^groups\[0\] must be one of state, cpu-total,/],
    [() => domain.pinVcpu(1.5, [0]), /^vcpu must be a whole number/],
    [() => domain.pinVcpu(0, []), /^cpus must be an array of 1 to 16384 elements/],
    [() => domain.pinVcpu(0, [16384]), /^cpus\[0\] must be a whole number from 0 to 16383/],
    [() => domain.pinEmulator(bad as never), /^cpus\[0\] must be/],
    [
      () => domain.metadata('urn:x', 'both' as never),
      /^affect must be one of current, live, config, live\+config/,
    ],
    [() => domain.setMetadata('urn:x', 'x', 'x'.repeat(2 ** 22 + 1)), /^xml must be 4194304 bytes at most/],
    [() => domain.setSchedulerParameters({}), /^the names of parameters must be an array of 1 to 16/],
    [() => domain.setSchedulerParameters({ ['x'.repeat(80)]: 1 }), /^a name of parameters must be 79 bytes/],
    [() => domain.setSchedulerParameters({ weight: 1n << 64n }), /^parameters.weight must fit into 64 bits$/],
    [
      () => domain.setSchedulerParameters({ weight: Number.POSITIVE_INFINITY }),
      /^parameters.weight must be a fin/,
    ],
  ] as [() => Promise<unknown>, RegExp][]) {
    const error = await call().catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(TypeError);
    expect((error as TypeError).message).toMatch(message);
  }
});
