// SPDX-License-Identifier: Apache-2.0
import { mkdtemp, readFile } from 'node:fs/promises';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { guestConfigurationSchema, hostAddress } from '../../guest-agent/configuration.js';
import { type HostAddress, openHostSession } from '../../guest-agent/session/host-session.js';
import { SessionKeeper } from '../../guest-agent/session/session-keeper.js';
import { hostCertificate } from '../../host-agent/enrolment/certificate.js';
import { closeCodes } from '../../src/protocol/codes.js';
import { limits } from '../../src/protocol/limits.js';
import type { RequestError } from '../../src/session/request-error.js';
import type { Handlers } from '../../src/session/responder.js';
import { createLog } from '../../src/support/log.js';
import { basic, domainA, type Host, RawGuest, startHost } from '../host-agent/support/host.js';

let host: Host;
let address: HostAddress;
let secret: string;

beforeEach(async () => {
  host = await startHost();
  secret = await host.store.issue(domainA);
  address = { url: new URL(host.url), trust: { fingerprint: host.fingerprint }, domain: domainA, secret };
});
afterEach(() => host.stop());

const never = () => new Promise<never>(() => {});
const idle: Handlers = {
  'set-path': never,
  'start-measurement': never,
  'stop-measurement': never,
  'get-health': never,
};
const none = new AbortController().signal;
const open = (
  changes: Partial<HostAddress> = {},
  handlers = idle,
  onDefect: (error: unknown) => void = () => {},
) => openHostSession({ ...address, ...changes }, handlers, onDefect, none);

const [linkLocal] = Object.entries(networkInterfaces()).flatMap(([name, all = []]) =>
  all.filter(({ address }) => address.startsWith('fe80:')).map(({ address }) => ({ name, address })),
);

describe('the host is known by its certificate', () => {
  test('by its fingerprint', async () => {
    const session = await open();
    expect(host.sessions.get(domainA)).toBeDefined();
    session.close(1000, '');
  });

  test('by one of two fingerprints, so that the host can change it: served at once, and no session ends', async () => {
    const next = await hostCertificate(await mkdtemp(join(tmpdir(), 'vmcall-next-')));
    const pins = [host.fingerprint, next.fingerprint];
    const before = await open({ trust: { fingerprint: pins } });
    const sessionBefore = host.sessions.get(domainA);
    host.sessions.renew(next.pem);
    expect(host.sessions.get(domainA)).toBe(sessionBefore);
    before.close(1000, '');
    await expect(open()).rejects.toMatchObject({ code: 'HOST_CERTIFICATE' });
    const after = await open({ trust: { fingerprint: pins } });
    after.close(1000, '');
  });

  test.skipIf(linkLocal === undefined)('at a link-local address, whose interface is in the URL', async () => {
    const other = await startHost({ address: `${linkLocal?.address}%${linkLocal?.name}` });
    const configuration = guestConfigurationSchema.parse({
      host: {
        url: `wss://[${linkLocal?.address}%${linkLocal?.name}]:${other.sessions.port}/guest`,
        certificate_sha256: other.fingerprint,
        domain: domainA,
        secret: await other.store.issue(domainA),
      },
      dataplane: { eal_arguments: [] },
    });
    const session = await openHostSession(
      await hostAddress(configuration),
      idle,
      () => {},
      new AbortController().signal,
    );
    session.close(1000, '');
    await other.stop();
  });

  test('another one is refused before the secret is sent', async () => {
    const other = await startHost();
    const heads: string[] = [];
    const server = createServer({
      key: await readFile(join(other.state, 'certificate.pem')),
      cert: await readFile(join(other.state, 'certificate.pem')),
    });
    server.on('upgrade', (request, socket) => {
      heads.push(JSON.stringify(request.headers));
      socket.destroy();
    });
    server.on('secureConnection', (socket) => socket.on('data', (data) => heads.push(String(data))));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = new URL(`wss://127.0.0.1:${(server.address() as AddressInfo).port}/guest`);
    await expect(open({ url })).rejects.toMatchObject({ code: 'HOST_CERTIFICATE' });
    await expect(open({ url, trust: { ca: (await hostCertificate(host.state)).pem } })).rejects.toMatchObject(
      { code: 'HOST_CERTIFICATE' },
    );
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(heads).toEqual([]);
    server.close();
    await other.stop();
  });

  test('by a certificate authority, which must vouch for the very address', async () => {
    const sign = async (name: string) => {
      const [key, certificate] = [join(host.state, 'k'), join(host.state, 'c')];
      const words = [
        'req',
        '-x509',
        '-newkey',
        'ec',
        '-pkeyopt',
        'ec_paramgen_curve:P-256',
        '-noenc',
        '-days',
        '2',
      ];
      await execa('openssl', [
        ...words,
        '-subj',
        '/CN=x',
        '-addext',
        `subjectAltName=${name}`,
        '-keyout',
        key,
        '-out',
        certificate,
      ]);
      const ca = await readFile(certificate, 'utf8');
      const other = await startHost({ pem: (await readFile(key, 'utf8')) + ca, enrolments: host.store });
      return { other, trust: { ca }, url: new URL(other.url) };
    };
    const right = await sign('IP:127.0.0.1');
    (await open(right)).close(1000, '');
    await right.other.stop();
    const wrong = await sign('IP:192.0.2.1');
    await expect(open(wrong)).rejects.toMatchObject({ code: 'HOST_CERTIFICATE' });
    await wrong.other.stop();
  });
});

describe('a session is refused', () => {
  test('for a wrong secret', async () => {
    await expect(open({ secret: 'A'.repeat(43) })).rejects.toMatchObject({ code: 'HOST_REFUSED_SECRET' });
  });

  test('by a server that is no host agent', async () => {
    await expect(open({ url: new URL(host.url.replace('/guest', '/x')) })).rejects.toMatchObject({
      code: 'HOST_REFUSED',
    });
  });

  test('where nobody listens', async () => {
    await host.sessions.stop();
    await expect(open()).rejects.toMatchObject({ code: 'HOST_UNREACHABLE' });
  });
});

describe('requests at the guest', () => {
  const session = () => host.sessions.get(domainA);

  test('are aborted at their deadline and answered with DEADLINE; the session goes on', async () => {
    const aborted: unknown[] = [];
    await open(
      {},
      {
        ...idle,
        'set-path': (_params, signal) => {
          signal.addEventListener('abort', () => aborted.push((signal.reason as RequestError).code));
          return never();
        },
        'stop-measurement': async () => ({ reports: 4 }),
      },
    );
    await expect(session()?.request('set-path', { path: 'poll' }, 200)).rejects.toMatchObject({
      code: 'DEADLINE',
    });
    const measurement = '0b9e2f6c-7a4d-4b6e-9c11-2f8d4e6a1b3c';
    expect(await session()?.request('stop-measurement', { measurement })).toEqual({ reports: 4 });
    await expect.poll(() => aborted).toEqual(['DEADLINE']);
  });

  test('that never end are bounded: those beyond are BUSY', async () => {
    await open();
    const asked = () => session()?.request('set-path', { path: 'poll' }, 100);
    for (let i = 0; i < limits.requestsInFlight; i++)
      await expect(asked()).rejects.toMatchObject({ code: 'DEADLINE' });
    await expect(asked()).rejects.toMatchObject({ code: 'BUSY' });
  });

  test('of a handler with a defect are INTERNAL, and say no more', async () => {
    const defects: unknown[] = [];
    await open({}, { ...idle, 'get-health': () => Promise.reject(new Error('inside')) }, (error) =>
      defects.push(error),
    );
    await expect(session()?.request('get-health', {})).rejects.toMatchObject({
      code: 'INTERNAL',
      message: expect.not.stringContaining('inside'),
    });
    expect(defects).toEqual([new Error('inside')]);
  });

  test('with a result that fits no schema are INTERNAL', async () => {
    await open({}, { ...idle, 'stop-measurement': async () => ({ reports: -1 }) });
    const asked = session()?.request('stop-measurement', { measurement: domainA });
    await expect(asked).rejects.toMatchObject({ code: 'INTERNAL' });
  });

  test('are aborted when the session ends', async () => {
    const aborted = new Promise((resolve) => {
      void open(
        {},
        {
          ...idle,
          'get-health': (_params, signal) => {
            signal.addEventListener('abort', () => resolve((signal.reason as RequestError).code));
            return never();
          },
        },
      )
        .then(() =>
          session()
            ?.request('get-health', {})
            .catch(() => {}),
        )
        .then(() => {});
    });
    await expect.poll(() => session()).toBeDefined();
    await new Promise((resolve) => setTimeout(resolve, 100));
    session()?.close(1000, '');
    expect(await aborted).toBe('SESSION_LOST');
  });
});

describe('a session that is lost', () => {
  const keep = (changes: Partial<HostAddress> = {}, least = 20, most = 100_000) => {
    const log: Record<string, unknown>[] = [];
    let opened = 0;
    const keeper = new SessionKeeper({
      address: { ...address, ...changes },
      handlers: idle,
      log: createLog('guest-agent', { write: (line) => log.push(JSON.parse(line)) }),
      onOpen: () => opened++,
      onLost: () => {},
      least,
      most,
    });
    keeper.start();
    return { keeper, log, opened: () => opened };
  };

  test('is opened again', async () => {
    const { keeper, opened } = keep();
    await expect.poll(opened).toBe(1);
    expect(keeper.lostFor).toBe(0);
    host.sessions.get(domainA)?.close(closeCodes.badMessage, 'for the test');
    await expect.poll(opened).toBe(2);
    await keeper.stop();
    expect(keeper.send({ type: 'error', id: 1, code: 'BUSY', message: '' })).toBe(false);
  });

  test.each([
    [
      'to a newer one of the same guest',
      () =>
        RawGuest.connect(host.url, { authorization: basic(domainA, secret) }).then((guest) =>
          guest.hello(domainA),
        ),
    ],
    ['for a revoked secret', async () => host.sessions.get(domainA)?.close(closeCodes.revoked, '')],
  ])('%s is not fought for', async (_what, lose) => {
    const { keeper, opened, log } = keep();
    await expect.poll(opened).toBe(1);
    await lose();
    await expect.poll(() => log.some(({ message }) => message === 'session lost')).toBe(true);
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(opened()).toBe(1);
    // Not even the longest back-off holds up a stop.
    await keeper.stop();
  });

  test('by a wrong secret is logged as an error, with its cure', async () => {
    const { keeper, log } = keep({ secret: 'A'.repeat(43) });
    await expect
      .poll(() => log)
      .toContainEqual(
        expect.objectContaining({
          level: 'error',
          code: 'HOST_REFUSED_SECRET',
          cure: expect.stringContaining('vmcall enroll'),
        }),
      );
    expect(log).toHaveLength(1);
    await keeper.stop();
  });

  test('a stop does not wait for a host that does not answer', async () => {
    const silent = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => silent.once('listening', resolve));
    const { keeper } = keep({
      url: new URL(`wss://127.0.0.1:${(silent.address() as AddressInfo).port}/guest`),
    });
    await new Promise((resolve) => setTimeout(resolve, 50));
    await keeper.stop();
    silent.close();
  });
});
