// SPDX-License-Identifier: Apache-2.0
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ObservedDomain } from '../../../host-agent/live/observed-domain.js';
import { Observers } from '../../../host-agent/live/observers.js';
import { drawPicture } from '../../../host-agent/live/picture.js';
import { limits } from '../../../src/protocol/limits.js';
import { type LiveMessage, liveLimits, observedMessageSchema } from '../../../src/protocol/live.js';
import { encodeMessage } from '../../../src/protocol/wire.js';
import { RawGuest } from '../support/host.js';

const uuid = (number: number) => `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`;

function observed(number: number, name = `domain ${number}`): ObservedDomain {
  return {
    status: {
      name,
      uuid: uuid(number),
      id: number,
      domain: number % 5 === 0 ? 'off' : 'running',
      desired: 'vmcall',
      desired_from: 'metadata',
      problem: null,
      actual: 'unknown',
      phase: 'blocked',
      reason: { code: 'GUEST_ABSENT', message: 'no session' },
      kvm: { support: 'present', vcpu_yield: true, irqfd_hardirq: true, yields: 1, rings: 1 },
      guest: null,
    },
    lookedAt: 0,
    figures: undefined,
  };
}
const head = { sequence: 1, libvirt: true };

describe('a picture', () => {
  test('of few domains is one message: those that run first, then by name', () => {
    const [message, ...others] = drawPicture([observed(5), observed(2), observed(1)], head, 0);
    expect(others).toEqual([]);
    expect(message?.domains.map(({ name }) => name)).toEqual(['domain 1', 'domain 2', 'domain 5']);
    expect(message).toMatchObject({ part: 1, parts: 1, left_out: 0 });
  });

  test('of more is several, each of which can be sent; the rest is counted', () => {
    const all = Array.from({ length: 4096 }, (_, number) => observed(number, 'ü'.repeat(300)));
    const messages = drawPicture(all, head, 0);
    expect(messages.length).toBeGreaterThan(1);
    const shown = messages.reduce((sum, { domains }) => sum + domains.length, 0);
    for (const [at, message] of messages.entries()) {
      expect(message).toMatchObject({ part: at + 1, parts: messages.length, left_out: 4096 - shown });
      expect(message.domains[0]?.name).toHaveLength(liveLimits.nameCharacters);
    }
    const bytes = messages.map((message) => Buffer.byteLength(encodeMessage(message, observedMessageSchema)));
    expect(Math.max(...bytes)).toBeLessThan(limits.frameBytes);
    expect(bytes.reduce((sum, size) => sum + size, 0)).toBeLessThan(limits.queuedBytes);
  });

  test('of none is one message too', () => {
    expect(drawPicture([], head, 0)).toMatchObject([{ domains: [], parts: 1, left_out: 0 }]);
  });
});

describe('an observer', () => {
  let server: Server;
  let observers: Observers;
  let url: string;
  let drawn = 0;
  let isDefect = false;
  let defects: unknown[] = [];
  beforeEach(async () => {
    drawn = 0;
    defects = [];
    observers = new Observers(
      (): LiveMessage[] => {
        drawn++;
        return drawPicture(
          isDefect ? [observed(0.5), observed(1)] : [observed(1)],
          { ...head, sequence: drawn },
          0,
        );
      },
      (error) => defects.push(error),
    );
    server = createServer().on('upgrade', (request, socket, at) => observers.accept(request, socket, at));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}/observer`;
  });
  afterEach(async () => {
    await observers.stop();
    server.close();
  });
  const hello = { type: 'hello', versions: [1], capabilities: [], agent: 'test' };

  test('is greeted, and shown a picture at once and each second', async () => {
    const observer = (await RawGuest.connect(url)).say(hello);
    expect(await observer.next()).toMatchObject({ type: 'ack', version: 1 });
    expect(await observer.next()).toMatchObject({ type: 'live', sequence: 1 });
    expect(await observer.next()).toMatchObject({ type: 'live', sequence: 2 });
    observer.socket.close();
    await observer.closed;
    const then = drawn;
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    // Nothing is drawn for nobody.
    expect(drawn).toBeLessThanOrEqual(then + 1);
  });

  test('is refused while 16 others watch', async () => {
    const watching = [];
    for (let one = 0; one < liveLimits.observers; one++) watching.push(await RawGuest.connect(url));
    await expect(RawGuest.connect(url)).rejects.toThrow('HTTP 503');
    watching[0]?.socket.close();
    await watching[0]?.closed;
    await expect.poll(() => RawGuest.connect(url).then(() => 'let in')).toBe('let in');
  });

  test('is shown the others where one domain cannot be reported', async () => {
    const observer = (await RawGuest.connect(url)).say(hello);
    await observer.next();
    await observer.next();
    isDefect = true;
    await expect
      .poll(() => observer.next(), { timeout: 20_000 })
      .toMatchObject({ type: 'live', left_out: 1, domains: [{ name: expect.any(String) }] });
    expect(defects).toEqual([]);
  });

  test.each([
    ['another resource', '/guest', 'vmcall.v1', 404],
    ['another subprotocol', '/observer', 'vmcall.v9', 400],
  ])('that asks for %s is refused', async (_what, path, protocol, status) => {
    await expect(RawGuest.connect(url.replace('/observer', path), { protocol })).rejects.toThrow(
      `HTTP ${status}`,
    );
  });

  test.each<[string, unknown[], number]>([
    ['no JSON', ['{'], 4400],
    ['a request', [{ type: 'request', id: 1, deadline_ms: 1000, method: 'set-path', params: {} }], 4400],
    ['a guest', [{ ...hello, domain: uuid(1) }], 4400],
    ['a second hello', [hello, hello], 4400],
    ['another version', [{ ...hello, versions: [7] }], 4406],
    ['too much', ['x'.repeat(limits.frameBytes + 1)], 1009],
    ['nothing', [], 4408],
  ])('that says %s is closed', async (_what, words, code) => {
    const observer = await RawGuest.connect(url);
    for (const word of words) observer.say(word);
    expect((await observer.closed).code).toBe(code);
  });
});
