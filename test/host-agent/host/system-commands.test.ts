// SPDX-License-Identifier: Apache-2.0
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { FileHost } from '../../../host-agent/host/host.js';
import { parseCoalescing, SystemCommands } from '../../../host-agent/host/host-commands.js';
import { readThread } from '../../../host-agent/host/thread.js';

describe('a thread of this machine', () => {
  const host = new FileHost('/', new SystemCommands());
  let child: ChildProcess;
  let pid: number;
  beforeEach(async () => {
    child = spawn('sleep', ['60']);
    await once(child, 'spawn');
    pid = child.pid ?? 0;
  });
  afterEach(() => child.kill());

  test('is put on a CPU and under another policy, and read back', () => {
    host.setAffinity(pid, '0');
    host.setScheduling(pid, { policy: 'batch', priority: 0 });
    expect(readThread(host, `/proc/${pid}`)).toEqual({
      id: pid,
      name: 'sleep',
      cpus: '0',
      scheduling: { policy: 'batch', priority: 0 },
    });
  });

  test('that has ended is none, and cannot be set', async () => {
    child.kill();
    await once(child, 'exit');
    expect(readThread(host, `/proc/${pid}`)).toBeNull();
    expect(() => host.setAffinity(pid, '0')).toThrow(expect.objectContaining({ code: 'HOST_COMMAND' }));
  });
});

describe('what ethtool prints', () => {
  test.each([
    ['[{"ifname":"eth1","adaptive-rx":true,"rx-usecs":50}]', { rxUsecs: 50, adaptiveRx: true }],
    ['[{"ifname":"eth1","rx-usecs":3}]', { rxUsecs: 3, adaptiveRx: null }],
    ['[{"ifname":"eth1"}]', null],
    ['[]', null],
    ['netlink error: Operation not supported', null],
  ])('%s', (text, coalescing) => expect(parseCoalescing(text)).toEqual(coalescing));
});
