// SPDX-License-Identifier: Apache-2.0
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { DomainHandles } from '../../../host-agent/libvirt/domain-handles.js';
import { type Connection, openConnection } from '../../../host-agent/native/connection.js';
import type { Domain } from '../../../host-agent/native/domain.js';
import { errorNumber } from '../../../host-agent/native/error.js';

/** Of libvirt's test driver, its one domain. */
const uuid = '6695eb01-f6a4-8304-79aa-97f2502e193f';

let connection: Connection;
let handles: DomainHandles;
const lookUp = vi.fn((of: string) => connection.domainByUuid(of));

beforeEach(async () => {
  connection = await openConnection('test:///default');
  lookUp.mockClear();
  handles = new DomainHandles(lookUp);
});
afterEach(() => connection.close());

const nameOf = () => handles.use(uuid, async ({ name }) => name);

test('a domain is looked up once, by however many users', async () => {
  expect(await Promise.all([nameOf(), nameOf()])).toEqual(['test', 'test']);
  expect(await nameOf()).toBe('test');
  expect(lookUp).toHaveBeenCalledTimes(1);
});

test('one that was forgotten is looked up again, and its users before still may use theirs', async () => {
  let before: Domain | undefined;
  await handles.use(uuid, async (domain) => {
    before = domain;
    handles.forget(uuid);
    expect((await domain.state()).state).toBe('running');
  });
  await nameOf();
  expect(lookUp).toHaveBeenCalledTimes(2);
  await expect(before?.state()).rejects.toMatchObject({ code: 'LIBVIRT_CLOSED' });
});

test('a look-up that fails is the failure of its user, and the next one looks up anew', async () => {
  const nobody = '00000000-0000-4000-8000-000000000000';
  const failing = () => handles.use(nobody, async () => {});
  await expect(failing()).rejects.toMatchObject({ code: errorNumber.noDomain });
  await expect(failing()).rejects.toMatchObject({ code: errorNumber.noDomain });
  expect(lookUp).toHaveBeenCalledTimes(2);
});

test('after a call that failed it is looked up anew', async () => {
  await expect(handles.use(uuid, (domain) => domain.metadata('none:such'))).rejects.toThrow();
  await nameOf();
  expect(lookUp).toHaveBeenCalledTimes(2);
});
