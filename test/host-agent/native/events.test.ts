// SPDX-License-Identifier: Apache-2.0
import { afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { loadAddon } from '../../../host-agent/native/addon.js';
import { type Connection, openConnection } from '../../../host-agent/native/connection.js';
import type { ConnectionEvent } from '../../../host-agent/native/events.js';
import { buildTimeout, builtAddon } from './children.js';
import { startLibvirtd } from './libvirtd.js';

beforeAll(() => builtAddon(), buildTimeout);

let connection: Connection | undefined;
afterEach(() => connection?.close());

async function listen(uri = 'test:///default') {
  const events: ConnectionEvent[] = [];
  connection = await openConnection(uri, { onEvent: (event) => events.push(event) });
  return { connection, events, domain: await connection.domainByName('test') };
}

describe('events', () => {
  test('tell the life of a domain, in its order', async () => {
    const { events, domain } = await listen();
    for (const step of ['suspend', 'resume', 'destroy', 'start'] as const) await domain[step]();
    await vi.waitFor(() => expect(events).toHaveLength(4));
    expect(events.map((event) => event.type === 'lifecycle' && event.event)).toEqual([
      'suspended',
      'resumed',
      'stopped',
      'started',
    ]);
    expect(events[0]).toMatchObject({ domain: { name: 'test', uuid: domain.uuid, id: 1 }, detail: 0 });
    expect(events[2]).toMatchObject({ domain: { id: null } });
  });

  test('tell of metadata, with its namespace', async () => {
    const { events, domain } = await listen();
    await domain.setMetadata('urn:vmcall:test', 'test', '<wanted/>');
    await vi.waitFor(() => expect(events).toHaveLength(1));
    expect(events[0]).toMatchObject({ type: 'metadata', kind: 'element', uri: 'urn:vmcall:test' });
    expect(events[0]).toMatchObject({ domain: { name: 'test' } });
  });

  test('come to each connection that listens, and to none after its close', async () => {
    const first: ConnectionEvent[] = [];
    const other = await openConnection('test:///default', { onEvent: (event) => first.push(event) });
    const { events, domain } = await listen();
    await domain.suspend();
    await vi.waitFor(() => expect([first.length, events.length]).toEqual([1, 1]));
    await other.close();
    await domain.resume();
    await vi.waitFor(() => expect(events).toHaveLength(2));
    expect(first).toHaveLength(1);
  });

  test('that wait are bounded: more are lost, which the listener gets as an event, and later ones come again', async () => {
    const received: ConnectionEvent[] = [];
    const onEvent = (event: ConnectionEvent) => received.push(event);
    const others = await Promise.all([1, 2].map(() => openConnection('test:///default', { onEvent })));
    const { events } = await listen();
    // Below the line that a connection's calls wait in, so that many are under way.
    const native = await (await loadAddon().open('test:///default', false, null)).domainByName('test');
    const change = async () => native.setMetadata('urn:vmcall:test', 'test', '<flood/>', 'current');
    const changes = Array.from({ length: 900 }, change);
    // The calls and their events go on in other threads while this one is busy.
    const until = Date.now() + 3000;
    while (Date.now() < until);
    await Promise.all(changes);
    const all = () => [...received, ...events];
    const lost = () => all().reduce((sum, event) => sum + (event.type === 'lost' ? event.count : 0), 0);
    const told = () => all().filter(({ type }) => type === 'metadata').length;
    await vi.waitFor(() => expect(told() + lost()).toBe(3 * changes.length));
    expect(lost()).toBeGreaterThan(0);
    const before = told();
    await change();
    await vi.waitFor(() => expect(told()).toBe(before + 3));
    await Promise.all(others.map((other) => other.close()));
  });

  test('say that a libvirtd is gone, with whom every call fails', async () => {
    const libvirtd = await startLibvirtd();
    try {
      const { events, domain } = await listen(libvirtd.uri('test:///default'));
      expect((await domain.state()).state).toBe('running');
      process.kill(libvirtd.pid, 'SIGKILL');
      await vi.waitFor(() => expect(events).toEqual([{ type: 'disconnected', reason: 'end of file' }]));
      await expect(domain.state()).rejects.toMatchObject({ name: 'LibvirtError', level: 2 });
      await connection?.close();
    } finally {
      await libvirtd.stop();
    }
  });
});
