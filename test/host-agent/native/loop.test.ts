// SPDX-License-Identifier: Apache-2.0
import { lookup } from 'node:dns/promises';
import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { openConnection } from '../../../host-agent/native/connection.js';
import type { ConnectionEvent } from '../../../host-agent/native/events.js';
import { buildTimeout, builtAddon } from './children.js';
import { type Libvirtd, startLibvirtd } from './libvirtd.js';

let libvirtd: Libvirtd;
beforeAll(() => builtAddon(), buildTimeout);
beforeAll(async () => {
  libvirtd = await startLibvirtd();
});
afterAll(() => libvirtd.stop());

const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('a libvirtd that does not answer', () => {
  test("holds neither Node's loop nor its file access, and its calls end when it does answer", async () => {
    const connection = await openConnection(libvirtd.uri('test:///default'));
    const domain = await connection.domainByName('test');
    let ended = 0;
    process.kill(libvirtd.pid, 'SIGSTOP');
    // More than the threads of the addon and of libuv together.
    const calls = Array.from({ length: 64 }, () => domain.state().finally(() => ended++));
    try {
      for (let i = 0; i < 10_000; i++) await turn();
      expect(await readFile('/proc/self/comm', 'utf8')).not.toBe('');
      expect(await lookup('localhost')).toMatchObject({ address: expect.any(String) });
      expect(ended).toBe(0);
    } finally {
      process.kill(libvirtd.pid, 'SIGCONT');
    }
    expect(new Set((await Promise.all(calls)).map(({ state }) => state))).toEqual(new Set(['running']));
    await connection.close();
  });

  test('is given up in the end', { timeout: 120_000 }, async () => {
    const lost = await startLibvirtd();
    try {
      const events: ConnectionEvent[] = [];
      const onEvent = (event: ConnectionEvent) => events.push(event);
      const connection = await openConnection(lost.uri('test:///default'), { onEvent });
      const domain = await connection.domainByName('test');
      process.kill(lost.pid, 'SIGSTOP');
      // Two were enough: one never returned, and the process died when libvirtd went on.
      const calls = await Promise.allSettled(Array.from({ length: 8 }, () => domain.state()));
      expect(calls.map(({ status }) => status)).toEqual(Array.from({ length: 8 }, () => 'rejected'));
      expect(calls[0]).toMatchObject({ reason: { message: expect.stringMatching(/keepalive timeout/) } });
      await vi.waitFor(() => expect(events).toEqual([{ type: 'disconnected', reason: 'keepalive timeout' }]));
      process.kill(lost.pid, 'SIGCONT');
      await expect(domain.state()).rejects.toThrow();
      await connection.close();
    } finally {
      await lost.stop();
    }
  });

  test('gets 1024 calls at most', async () => {
    const connection = await openConnection(libvirtd.uri('test:///default'));
    const domain = await connection.domainByName('test');
    process.kill(libvirtd.pid, 'SIGSTOP');
    const calls = Array.from({ length: 1024 }, () => domain.state());
    try {
      await expect(domain.state()).rejects.toMatchObject({ code: 'LIBVIRT_TOO_MANY_CALLS' });
    } finally {
      process.kill(libvirtd.pid, 'SIGCONT');
    }
    await Promise.all(calls);
    expect((await domain.state()).state).toBe('running');
    await connection.close();
  });
});
