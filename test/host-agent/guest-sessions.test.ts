// SPDX-License-Identifier: Apache-2.0
import { once } from 'node:events';
import { utimes } from 'node:fs/promises';
import { connect as connectTcp, type Socket } from 'node:net';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { GuestSession } from '../../host-agent/guest-sessions/guest-session.js';
import { closeCodes } from '../../src/protocol/codes.js';
import { limits } from '../../src/protocol/limits.js';
import { basic, domainA, domainB, type Host, RawGuest, startHost } from './support/host.js';

let host: Host;
let authorization: string;

beforeEach(async () => {
  host = await startHost();
  authorization = basic(domainA, await host.store.issue(domainA));
});
afterEach(() => host.stop());

const connect = (options = {}) => RawGuest.connect(host.url, { authorization, ...options });

/** A guest whose hello was acknowledged, and the host's session with it. */
async function open(domain = domainA, options = {}): Promise<{ guest: RawGuest; session: GuestSession }> {
  const opened = once(host.sessions, 'open');
  const guest = (await connect(options)).hello(domain);
  expect(await guest.next()).toMatchObject({ type: 'ack', version: 1 });
  const [session] = (await opened) as [GuestSession];
  return { guest, session };
}

describe('the handshake', () => {
  test('agrees on the highest common version and on common capabilities', async () => {
    const guest = (await connect()).hello(domainA, {
      versions: [7, 1],
      capabilities: ['path', 'levitation'],
    });
    expect(await guest.next()).toMatchObject({ type: 'ack', version: 1, capabilities: ['path'] });
    expect(host.sessions.get(domainA)?.agreement.agent).toBe('raw');
  });

  test('ends with 4406 if there is no common version', async () => {
    const guest = (await connect()).hello(domainA, { versions: [2, 3] });
    expect(await guest.closed).toMatchObject({ code: closeCodes.noCommonVersion });
    expect(host.sessions.all()).toEqual([]);
  });

  test('ends with 4403 if the guest claims to be another', async () => {
    await host.store.issue(domainB);
    const guest = (await connect()).hello(domainB);
    expect(await guest.closed).toMatchObject({ code: closeCodes.wrongIdentity });
    expect(host.sessions.get(domainB)).toBeUndefined();
  });

  test('ends with 4408 if no hello comes', async () => {
    const guest = await connect();
    expect(await guest.closed).toMatchObject({ code: closeCodes.helloTimeout });
  });

  test.each([
    ['a report', { type: 'health' }],
    ['an ack', { type: 'ack', version: 1, capabilities: [], agent: 'x' }],
  ])('ends with 4400 if %s comes first', async (_what, message) => {
    const guest = await connect();
    guest.say(message);
    expect(await guest.closed).toMatchObject({ code: closeCodes.badMessage });
  });

  test('a newer session takes the place of the older, which is closed with 4409', async () => {
    const first = await open();
    const firstEnded = once(first.session, 'closed');
    const second = await open();
    expect(await first.guest.closed).toMatchObject({ code: closeCodes.replaced });
    await firstEnded;
    expect(host.sessions.get(domainA)).toBe(second.session);
  });
});

describe('what is refused before the upgrade', () => {
  test.each([
    ['a wrong secret', () => ({ authorization: basic(domainA, 'A'.repeat(43)) }), 'HTTP 401'],
    ['a domain never enrolled', () => ({ authorization: basic(domainB, 'A'.repeat(43)) }), 'HTTP 401'],
    ['a path for a domain', () => ({ authorization: basic('../../../etc', 'A'.repeat(43)) }), 'HTTP 401'],
    ['no secret', () => ({ authorization: undefined }), 'HTTP 401'],
    ['another scheme', () => ({ authorization: 'Bearer abc' }), 'HTTP 401'],
    ['another subprotocol', () => ({ protocol: 'vmcall.v2' }), 'HTTP 400'],
  ])('%s', async (_what, options, status) => {
    await expect(connect(options())).rejects.toThrow(status);
    expect(host.sessions.all()).toEqual([]);
  });

  test('another resource', async () => {
    await expect(RawGuest.connect(host.url.replace('/guest', '/'), { authorization })).rejects.toThrow(
      'HTTP 404',
    );
  });

  test('a secret that was replaced, also in the middle of a session', async () => {
    await host.stop();
    host = await startHost({ recheckMs: 50 });
    authorization = basic(domainA, await host.store.issue(domainA));
    const { guest } = await open();
    await host.store.issue(domainA);
    expect(await guest.closed).toMatchObject({ code: closeCodes.revoked });
    await expect(connect()).rejects.toThrow('HTTP 401');
  });

  test('no secret is read again while nothing was changed for long, and a change is seen all the same', async () => {
    await host.stop();
    host = await startHost({ recheckMs: 20 });
    authorization = basic(domainA, await host.store.issue(domainA));
    const { guest } = await open();
    const longAgo = new Date(Date.now() - 3_600_000);
    await utimes(join(host.state, 'enrolments'), longAgo, longAgo);
    const reads = vi.spyOn(host.store, 'hashesOf');
    const looks = vi.spyOn(host.store, 'changedAt');
    await vi.waitFor(() => expect(looks.mock.calls.length).toBeGreaterThan(3));
    reads.mockClear();
    looks.mockClear();
    await vi.waitFor(() => expect(looks.mock.calls.length).toBeGreaterThan(3));
    expect(reads).not.toHaveBeenCalled();
    await host.store.issue(domainA);
    expect(await guest.closed).toMatchObject({ code: closeCodes.revoked });
  });

  test('the secret is in no log', async () => {
    const secret = await host.store.issue(domainB);
    await connect({ authorization: basic(domainB, secret) });
    await connect({ authorization: basic(domainA, secret) }).catch(() => {});
    await host.sessions.stop();
    expect(host.log.join('')).not.toContain(secret);
    expect(host.log.join('')).toContain('connections refused');
  });
});

describe('what ends a session', () => {
  const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth);
  test.each([
    ['a binary frame', Buffer.from('{}'), closeCodes.badMessage],
    ['no JSON', '{"type":', closeCodes.badMessage],
    ['a wrong schema', '{"type":"health","health":7}', closeCodes.badMessage],
    [
      'a member too many',
      '{"type":"error","id":1,"code":"BUSY","message":"","more":1}',
      closeCodes.badMessage,
    ],
    ['deep nesting', nested(30_000), closeCodes.badMessage],
    ['a deep member', `{"type":"health","health":${nested(30_000)}}`, closeCodes.badMessage],
    ['a prototype', '{"type":"health","__proto__":{"health":1}}', closeCodes.badMessage],
    ['an answer to nothing', '{"type":"error","id":9,"code":"BUSY","message":""}', closeCodes.badMessage],
    [
      'a request',
      '{"type":"request","id":1,"deadline_ms":1000,"method":"get-health","params":{}}',
      closeCodes.badMessage,
    ],
    [
      'a second hello',
      `{"type":"hello","versions":[1],"capabilities":[],"domain":"${domainA}","agent":""}`,
      closeCodes.badMessage,
    ],
    ['a frame above the limit', `"${'x'.repeat(limits.frameBytes)}"`, 1009],
  ])('%s', async (_what, data, code) => {
    const { guest, session } = await open();
    const ended = once(session, 'closed');
    guest.socket.send(data);
    expect(await guest.closed).toMatchObject({ code });
    expect((await ended)[0]).toMatchObject({ code, by: 'us' });
    expect(host.sessions.get(domainA)).toBeUndefined();
    // It is that session alone: another begins at once.
    await open();
  });

  test('a message in too many fragments', async () => {
    const { guest } = await open();
    for (let i = 0; i <= limits.fragments; i++) guest.socket.send(' ', { fin: false });
    expect(await guest.closed).toMatchObject({ code: 1008 });
  });

  test('a flood of messages', async () => {
    const { guest, session } = await open();
    // So that its answers are answers to something.
    const asked = session.request('set-path', { path: 'poll' }).catch(() => {});
    for (let i = 0; i < limits.frameBurst * 3; i++)
      guest.say({ type: 'error', id: 1, code: 'BUSY', message: '' });
    expect(await guest.closed).toMatchObject({ code: closeCodes.tooManyFrames });
    await asked;
  });

  test('a flood of pings, with 4429 or, if they outrun their pongs, at once', async () => {
    const { guest, session } = await open();
    const ended = once(session, 'closed');
    for (let i = 0; i < limits.frameBurst * 3; i++) guest.socket.ping();
    expect([closeCodes.tooManyFrames, 1006]).toContain((await guest.closed).code);
    await ended;
  });
});

describe('requests', () => {
  test('are answered by their id', async () => {
    const { guest, session } = await open();
    const first = session.request('set-path', { path: 'vmcall' });
    const second = session.request('set-path', { path: 'poll' });
    const [one, two] = [await guest.next(), await guest.next()];
    expect(one).toMatchObject({ method: 'set-path', deadline_ms: 10_000, params: { path: 'vmcall' } });
    guest.say({
      type: 'error',
      id: two.id,
      code: 'PATH_REFUSED',
      message: 'no',
      reason: 'EPERM',
      path: 'injected',
    });
    guest.say({
      type: 'result',
      id: one.id,
      method: 'set-path',
      result: { path: 'vmcall', idle_threshold_us: 300, switched: true },
    });
    await expect(second).rejects.toMatchObject({
      code: 'PATH_REFUSED',
      refusal: { reason: 'EPERM', path: 'injected' },
    });
    expect(await first).toEqual({ path: 'vmcall', idle_threshold_us: 300, switched: true });
  });

  test('fail at their deadline; the answer that comes later is ignored', async () => {
    const { guest, session } = await open();
    await expect(session.request('set-path', { path: 'poll' }, 100)).rejects.toMatchObject({
      code: 'DEADLINE',
    });
    const { id } = await guest.next();
    guest.say({
      type: 'result',
      id,
      method: 'set-path',
      result: { path: 'poll', idle_threshold_us: 1, switched: true },
    });
    const again = session.request('set-path', { path: 'poll' });
    guest.say({ type: 'error', id: (await guest.next()).id, code: 'NOT_READY', message: '' });
    await expect(again).rejects.toMatchObject({ code: 'NOT_READY' });
  });

  test('an answer of another method ends the session', async () => {
    const { guest, session } = await open();
    const asked = session.request('set-path', { path: 'poll' });
    const lost = expect(asked).rejects.toMatchObject({ code: 'SESSION_LOST' });
    guest.say({
      type: 'result',
      id: (await guest.next()).id,
      method: 'stop-measurement',
      result: { reports: 1 },
    });
    expect(await guest.closed).toMatchObject({ code: closeCodes.badMessage });
    await lost;
  });

  test('are bounded: the 17th is BUSY, none is sent for a capability not agreed on', async () => {
    const { guest, session } = await open();
    const asked = Array.from({ length: limits.requestsInFlight }, () =>
      session.request('set-path', { path: 'poll' }),
    );
    await expect(session.request('set-path', { path: 'poll' })).rejects.toMatchObject({ code: 'BUSY' });
    await expect(session.request('get-health', {})).rejects.toMatchObject({ code: 'UNSUPPORTED' });
    guest.socket.terminate();
    for (const { status } of await Promise.allSettled(asked)) expect(status).toBe('rejected');
  });
});

describe('many at once', () => {
  test('a thousand connections from one address leave a guest at another undisturbed', async () => {
    await host.stop();
    host = await startHost({
      admission: { connections: 100, perAddress: 40, unauthenticated: 30, perSecond: 1000, burst: 1000 },
    });
    authorization = basic(domainA, await host.store.issue(domainA));
    const { guest, session } = await open(domainA, { localAddress: '127.0.0.9' });
    const sockets: Socket[] = [];
    const { port } = new URL(host.url);
    let most = 0;
    for (let i = 0; i < 1000; i++) {
      const socket = connectTcp({ port: Number(port), host: '127.0.0.1' });
      socket.on('error', () => {});
      sockets.push(socket);
      if (i % 50 === 49) await once(socket, 'close');
      most = Math.max(most, host.sessions.connections);
    }
    expect(most).toBeLessThanOrEqual(31);
    const asked = session.request('set-path', { path: 'poll' });
    guest.say({
      type: 'result',
      id: (await guest.next()).id,
      method: 'set-path',
      result: { path: 'poll', idle_threshold_us: 1, switched: false },
    });
    expect(await asked).toMatchObject({ path: 'poll' });
    // Who shows no secret in time makes room.
    const held = sockets.filter((socket) => !socket.closed).map((socket) => once(socket, 'close'));
    expect(held.length).toBeGreaterThan(0);
    await Promise.all(held);
    await vi.waitFor(() => expect(host.sessions.connections).toBe(1));
    expect(session.domain).toBe(domainA);
    await open(domainA, { localAddress: '127.0.0.9' });
  });

  test('a connection that speaks TLS and then nothing is closed', async () => {
    const { port } = new URL(host.url);
    const socket = connectTls({ port: Number(port), host: '127.0.0.1', rejectUnauthorized: false });
    socket.on('error', () => {});
    await once(socket, 'secureConnect');
    socket.write('GET /guest HTTP/1.1\r\n');
    await once(socket, 'close');
    await vi.waitFor(() => expect(host.sessions.connections).toBe(0));
  });

  test('garbage instead of TLS is closed', async () => {
    const { port } = new URL(host.url);
    const socket = connectTcp({ port: Number(port), host: '127.0.0.1' });
    socket.on('error', () => {});
    socket.write(Buffer.alloc(10_000, 'garbage'));
    await once(socket, 'close');
    await open();
  });
});
