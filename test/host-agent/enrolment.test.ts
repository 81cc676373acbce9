// SPDX-License-Identifier: Apache-2.0
import { X509Certificate } from 'node:crypto';
import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { guestConfigurationSchema } from '../../guest-agent/configuration.js';
import { hostCertificate } from '../../host-agent/enrolment/certificate.js';
import { guestConfiguration } from '../../host-agent/enrolment/guest-configuration.js';
import { matchingHash } from '../../host-agent/enrolment/secret.js';
import { EnrolmentStore } from '../../host-agent/enrolment/store.js';
import { checkToml } from '../../src/support/toml.js';
import { domainA, domainB } from './support/host.js';

let state: string;
let store: EnrolmentStore;

beforeEach(async () => {
  state = await mkdtemp(join(tmpdir(), 'vmcall-enrolment-'));
  store = new EnrolmentStore(state);
});
afterEach(() => rm(state, { recursive: true, force: true }));

const mode = async (path: string) => ((await stat(path)).mode & 0o777).toString(8);

describe('enrolment', () => {
  test('gives a secret of 256 bits and keeps its hash alone, for root alone', async () => {
    const secret = await store.issue(domainA);
    expect(Buffer.from(secret, 'base64url')).toHaveLength(32);
    expect(matchingHash(secret, await store.hashesOf(domainA))).toBeDefined();
    const [file = ''] = await readdir(join(state, 'enrolments'));
    expect(await readFile(join(state, 'enrolments', file), 'utf8')).not.toContain(secret);
    expect(await mode(join(state, 'enrolments'))).toBe('700');
    expect(await mode(join(state, 'enrolments', file))).toBe('600');
  });

  test('revokes the previous secret; twenty at once leave one that works and no litter', async () => {
    const first = await store.issue(domainA);
    const secrets = await Promise.all(Array.from({ length: 20 }, () => store.issue(domainA)));
    const hashes = await store.hashesOf(domainA);
    expect(matchingHash(first, hashes)).toBeUndefined();
    expect(secrets.filter((secret) => matchingHash(secret, hashes))).toHaveLength(1);
    expect(await readdir(join(state, 'enrolments'))).toEqual([`${domainA}.json`]);
  });

  test('knows nothing of a domain that is not enrolled or not any more', async () => {
    await store.issue(domainA);
    await store.revoke(domainA);
    expect(await store.hashesOf(domainA)).toEqual([]);
    expect(matchingHash('anything', await store.hashesOf(domainB))).toBeUndefined();
    expect(matchingHash('', [])).toBeUndefined();
  });

  test.each(['../x', 'NOT-A-UUID', domainA.toUpperCase(), ''])('refuses %j as a domain', async (domain) => {
    await expect(store.issue(domain)).rejects.toMatchObject({ code: 'ENROLMENT_DOMAIN' });
  });

  test.each([
    ['no JSON', '{'],
    [
      'another domain',
      JSON.stringify({
        format: 'vmcall-enrolment',
        version: 1,
        domain: domainB,
        secret_sha256: 'a'.repeat(64),
        issued: '2026-01-01T00:00:00Z',
      }),
    ],
    ['endless', ' '.repeat(10_000)],
  ])('a file with %s lets nobody in and says so', async (_what, text) => {
    await store.issue(domainA);
    await writeFile(join(state, 'enrolments', `${domainA}.json`), text);
    await expect(store.hashesOf(domainA)).rejects.toMatchObject({ code: 'ENROLMENT_INVALID' });
  });

  test('prints a file that the guest agent reads', () => {
    const enrolment = {
      url: 'wss://192.0.2.1:8645/guest',
      domain: domainA,
      secret: 'A'.repeat(43),
      fingerprint: Array(32).fill('AB').join(':'),
    };
    const { host, dataplane } = checkToml(
      'guest-agent.toml',
      guestConfiguration(enrolment),
      guestConfigurationSchema,
    );
    expect(host).toMatchObject({ url: enrolment.url, domain: domainA, secret: enrolment.secret });
    expect(dataplane?.path).toBe('injected');
  });
});

test('with an overlap the previous secret is valid, too, until it expires', async () => {
  const first = await store.issue(domainA);
  const second = await store.issue(domainA, 3600);
  const hashes = await store.hashesOf(domainA);
  expect([first, second].every((secret) => matchingHash(secret, hashes))).toBe(true);
  expect(await store.list()).toMatchObject([{ domain: domainA, previousUntil: expect.any(String) }]);
  expect(JSON.stringify(await store.list())).not.toContain('sha256');
  // Of three the first is worth nothing.
  await store.issue(domainA, 3600);
  expect(matchingHash(first, await store.hashesOf(domainA))).toBeUndefined();
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 3_601_000 });
  expect(matchingHash(second, await store.hashesOf(domainA))).toBeUndefined();
  vi.useRealTimers();
  expect([await store.revoke(domainA), await store.revoke(domainA)]).toEqual([true, false]);
  expect(await store.list()).toEqual([]);
});

describe("the host's certificate", () => {
  test('whose key others can read is refused', async () => {
    await hostCertificate(state);
    await chmod(join(state, 'certificate.pem'), 0o640);
    await expect(hostCertificate(state)).rejects.toMatchObject({ code: 'CERTIFICATE_OPEN', exitCode: 3 });
  });

  test('is made once, also by five at once, and is for root alone', async () => {
    const made = await Promise.all(Array.from({ length: 5 }, () => hostCertificate(state)));
    expect(new Set(made.map(({ fingerprint }) => fingerprint)).size).toBe(1);
    expect(await hostCertificate(state)).toEqual(made[0]);
    expect(await readdir(state)).toEqual(['certificate.pem']);
    expect(await mode(join(state, 'certificate.pem'))).toBe('600');
    expect(new X509Certificate(made[0]?.pem ?? '').fingerprint256).toBe(made[0]?.fingerprint);
  });

  test('that a full disk left empty is made anew', async () => {
    await writeFile(join(state, 'certificate.pem'), '');
    const { pem } = await hostCertificate(state);
    expect(await readFile(join(state, 'certificate.pem'), 'utf8')).toBe(pem);
    expect(new X509Certificate(pem).subject).toContain('vmcall');
  });

  test('that is none is not overwritten', async () => {
    await writeFile(join(state, 'certificate.pem'), 'nonsense', { mode: 0o600 });
    await expect(hostCertificate(state)).rejects.toMatchObject({ code: 'CERTIFICATE_INVALID' });
    expect(await readFile(join(state, 'certificate.pem'), 'utf8')).toBe('nonsense');
  });
});
