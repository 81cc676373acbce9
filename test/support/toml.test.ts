// SPDX-License-Identifier: Apache-2.0
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { readToml } from '../../src/support/toml.js';

const schema = z.strictObject({
  host: z.strictObject({
    port: z.int().min(1, 'wanted 1 to 65535'),
    secret: z.string().min(5, 'wanted five characters'),
  }),
});
let folder: string;
let file: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'vmcall-toml-'));
  file = join(folder, 'x.toml');
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function read(text: string, mode = 0o600) {
  await writeFile(file, text);
  await chmod(file, mode);
  return readToml(file, schema, ['host.secret']);
}

test('a right file is read', async () => {
  expect(await read('[host]\nport = 7\nsecret = "sesame"')).toEqual({ host: { port: 7, secret: 'sesame' } });
});

test('every wrong value is named with file, key and value, a secret without', async () => {
  const wrong = read('[host]\nport = 0\nsecret = "abc"\nport_ = 1\n[other]');
  await expect(wrong).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
    exitCode: 3,
    message: [
      `${file}: host.port = 0: wanted 1 to 65535`,
      `${file}: host.secret = (not shown): wanted five characters`,
      `${file}: host.port_: no such key`,
      `${file}: other: no such key`,
    ].join('\n'),
  });
});

test('a fault of the table that a secret is in does not show the secret', async () => {
  const table = z.strictObject({
    host: z
      .object({ secret: z.string(), pin: z.string().optional() })
      .refine(({ pin }) => pin !== undefined, 'wanted a pin'),
  });
  await writeFile(file, '[host]\nsecret = "sesame"', { mode: 0o600 });
  const wrong = readToml(file, table, ['host.secret']);
  await expect(wrong).rejects.toMatchObject({ message: `${file}: host: wanted a pin` });
});

test.each([
  '[[host]]\nport = 1\nsecret = "SESAME"',
  'host = ["SESAME"]',
  'host = "SESAME"',
  '[host]\nsecret = ["SESAME"]',
  '[host]\nsecret = { value = "SESAME" }',
  '[host]\nport = "SESAME"',
  '[host]\nsecret = "SESAME',
  '[host]\nsecret = "x"\nsecret = "SESAME"',
])('a secret that stands where none belongs is not shown: %j', async (text) => {
  const secret = 'Sesame-open_0123456789abcdefghijklmnopqrstu';
  const { message } = await read(text.replace('SESAME', secret)).then(
    () => ({ message: secret }),
    (error: Error) => error,
  );
  expect(message).toContain(file);
  expect(message).not.toContain(secret.slice(0, 12));
});

test('a key that is missing is named', async () => {
  await expect(read('[host]\nport = 1')).rejects.toThrow(`${file}: host.secret is missing`);
});

test('a fault of syntax is named by line and column, without the lines around it', async () => {
  const wrong = read('[host]\nsecret = "sesame"\nport = =');
  await expect(wrong).rejects.toMatchObject({ code: 'CONFIG_SYNTAX' });
  await expect(wrong).rejects.toThrow(`${file}:3:8: `);
  await expect(wrong).rejects.not.toThrow('sesame');
});

test('a file with a secret that others can read is refused', async () => {
  await expect(read('[host]', 0o640)).rejects.toMatchObject({ code: 'CONFIG_OPEN' });
});

test('a file that is not there, or has no end, is refused', async () => {
  await expect(readToml(join(folder, 'none'), schema)).rejects.toMatchObject({ code: 'CONFIG_UNREADABLE' });
  await expect(readToml('/dev/zero', schema)).rejects.toThrow('not a regular file');
  await expect(read(`# ${'x'.repeat(70_000)}`)).rejects.toMatchObject({ code: 'CONFIG_UNREADABLE' });
});
