// SPDX-License-Identifier: Apache-2.0
// The certificate of a whole host agent: renewed while it runs, and in the ways in which it cannot be used.
import { once } from 'node:events';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type HostCertificate, hostCertificate } from '../../host-agent/enrolment/certificate.js';
import { RealHost } from './support/test-host.js';

const slow = { timeout: 240_000 };
const host = new RealHost();
let folder: string;
let next: HostCertificate;
/** Ways in which it cannot be used: what is put there, and what is said of it. */
let wrong: [name: string, pem: string, mode: number, why: RegExp][];

async function keyAndCertificate(...words: string[]): Promise<{ key: string; certificate: string }> {
  const [key, certificate] = [join(folder, 'key'), join(folder, 'certificate')];
  const subject = ['-subj', '/CN=x', '-keyout', key, '-out', certificate];
  await execa('openssl', ['req', '-x509', '-days', '2', ...words, ...subject]);
  return { key: await readFile(key, 'utf8'), certificate: await readFile(certificate, 'utf8') };
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'vmcall-certificate-'));
  next = await hostCertificate(folder);
  // Another end than that of the agent's own.
  const { key, certificate } = await keyAndCertificate('-newkey', 'rsa:2048', '-noenc');
  await writeFile(join(folder, 'certificate.pem'), key + certificate);
  next = await hostCertificate(folder);
  const ec = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256'];
  const other = await keyAndCertificate(...ec, '-noenc');
  const weak = await keyAndCertificate('-newkey', 'rsa:512', '-noenc');
  const locked = await keyAndCertificate(...ec, '-passout', 'pass:sesame');
  wrong = [
    ['nothing', '', 0o600, /CERTIFICATE_INVALID: .*it is empty/],
    ['nonsense', 'nonsense\n', 0o600, /CERTIFICATE_INVALID/],
    ['a certificate without a key', other.certificate, 0o600, /CERTIFICATE_INVALID/],
    ['a key without a certificate', other.key, 0o600, /CERTIFICATE_INVALID/],
    [
      'the key of another',
      next.pem.replace(/^.*?-----END PRIVATE KEY-----\n/s, other.key),
      0o600,
      /mismatch/,
    ],
    ['a file that is cut', next.pem.slice(0, -100), 0o600, /CERTIFICATE_INVALID/],
    ['a key that is too small', weak.key + weak.certificate, 0o600, /CERTIFICATE_INVALID: .*too small/],
    ['a passphrase', locked.key + locked.certificate, 0o600, /CERTIFICATE_INVALID/],
    ['a key that others can read', next.pem, 0o644, /CERTIFICATE_OPEN: .*mode 644/],
  ];
}, 60_000);
afterAll(() => rm(folder, { recursive: true, force: true }));

const file = () => join(host.bench.folder, 'state', 'certificate.pem');
async function put(pem: string, mode = 0o600): Promise<void> {
  await writeFile(file(), pem);
  await chmod(file(), mode);
}
const reload = () => host.bench.agent.child.kill('SIGHUP');

/** The file names the port by now, which is another one for the agent: its sessions start again. */
async function settle(): Promise<void> {
  const before = sessions();
  reload();
  await host.bench.agent.logged('configuration reloaded');
  await expect.poll(sessions, { timeout: 30_000 }).toBe(before + 1);
}

/** The fingerprint of the certificate that is shown to who connects now. */
async function served(): Promise<string> {
  const socket = connect({
    host: '127.0.0.1',
    port: Number(host.bench.guestUrl.port),
    rejectUnauthorized: false,
  });
  await once(socket, 'secureConnect');
  const { fingerprint256 } = socket.getPeerCertificate();
  socket.destroy();
  return fingerprint256;
}
const sessions = () => host.bench.agent.log.filter(({ message }) => message === 'session open').length;
const running = { guest: { health: { dataplane: 'running' } } };

describe('another certificate', () => {
  test('is served after a reload; no session ends, and guests with both pins come back', slow, async () => {
    await host.realGuest.stop();
    await host.startGuestAgent({ pins: [next.fingerprint] });
    host.bench.more = '[metrics]\naddress = "127.0.0.1"\nport = 0\n';
    await host.bench.configure();
    await settle();
    const before = sessions();
    await put(next.pem);
    reload();
    await expect.poll(served, { timeout: 30_000 }).toBe(next.fingerprint);
    const expiry = async () => {
      const url = `http://127.0.0.1:${await host.bench.port('metrics')}/metrics`;
      const text = await (await fetch(url)).text();
      return Number(/^vmcall_certificate_expiry_timestamp_seconds (\S+)$/m.exec(text)?.[1]);
    };
    await expect.poll(() => expiry().catch(String), { timeout: 30_000 }).toBe(next.expires);
    await host.bench.until(running);
    expect(sessions()).toBe(before);
    await host.realGuest.agent.kill();
    host.realGuest.startAgent();
    await expect.poll(sessions, { timeout: 30_000 }).toBe(before + 1);
    await host.bench.until(running);
    // One that holds the first alone does not come in, and says why; its dataplane goes on.
    const text = await readFile(host.realGuest.file, 'utf8');
    await writeFile(host.realGuest.file, text.replace(`, "${next.fingerprint}"`, ''));
    await host.realGuest.agent.kill();
    host.realGuest.startAgent();
    await host.realGuest.agent.logged('HOST_CERTIFICATE');
    await host.bench.until({ guest: null });
  });

  test('that cannot be used is told, and the one before is served on', slow, async () => {
    await settle();
    const before = await served();
    const opened = sessions();
    for (const [name, pem, mode, why] of wrong) {
      const from = host.bench.agent.said.length;
      await put(pem, mode);
      reload();
      const said = () => host.bench.agent.said.slice(from);
      await expect.poll(said, { timeout: 30_000, message: name }).toMatch(why);
      expect(said(), name).toContain('not reloaded');
      expect(said(), name).not.toContain('another certificate is served');
      expect(said(), name).not.toMatch(/PRIVATE KEY|sesame/);
      expect(await served(), name).toBe(before);
    }
    await host.bench.until(running);
    expect(sessions()).toBe(opened);
    expect(host.bench.agent.said).not.toContain('"stack"');
  });

  test('that cannot be used when it starts is told until another one is there', slow, async () => {
    for (const [name, pem, mode, why] of wrong.filter(([name]) => /of another|others can read/.test(name))) {
      await host.bench.agent.kill();
      await put(pem, mode);
      await host.bench.startAgent();
      const problem = async () => (await host.bench.client.status()).unheard[0]?.problem ?? 'none';
      await expect.poll(() => problem().catch(String), { timeout: 30_000, message: name }).toMatch(why);
      expect(host.bench.agent.child.exitCode, name).toBeNull();
    }
    await put(next.pem);
    await expect.poll(() => served().catch(String), { timeout: 30_000 }).toBe(next.fingerprint);
    expect((await host.bench.client.status()).unheard).toEqual([]);
  });
});
