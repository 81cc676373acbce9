// SPDX-License-Identifier: Apache-2.0
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildTimeout, builtAddon, runChild, runSanitized } from './children.js';
import { type Libvirtd, startLibvirtd } from './libvirtd.js';

let libvirtd: Libvirtd;
beforeAll(() => builtAddon(), buildTimeout);
beforeAll(() => builtAddon({ sanitize: true }), buildTimeout);
beforeAll(async () => {
  libvirtd = await startLibvirtd();
});
afterAll(() => libvirtd.stop());

const clean = (stdout: unknown = '') => ({ exitCode: 0, stdout, stderr: '' });
const remote = () => [libvirtd.uri('test:///default'), String(libvirtd.pid)];
const thaw = () => process.kill(libvirtd.pid, 'SIGCONT');

// Each program runs as it is and once more under AddressSanitizer, LeakSanitizer and UBSan.
const ways = [
  { how: 'as it is', run: (name: string, words: string[]) => runChild(name, ...words) },
  { how: 'sanitized', run: (name: string, words: string[]) => runSanitized(name, words) },
];

describe.each(ways)('a process ($how)', { timeout: 120_000 }, ({ how, run }) => {
  test('ends with everything open', async () => {
    expect(await run('exit-open', [])).toEqual(clean());
  });

  test('does not end inside of a call', async () => {
    expect(await run('exit-after-call', [])).toEqual(clean('running'));
  });

  test('ends by process.exit() inside of calls that are stuck', async () => {
    // process.exit() frees nothing, of Node's own neither: leaks are looked for in the other programs.
    const exit =
      how === 'sanitized'
        ? runSanitized('exit-in-call', remote(), { leaks: false })
        : run('exit-in-call', remote());
    try {
      expect(await exit).toEqual(clean());
    } finally {
      thaw();
    }
  });

  test('outlives worker threads that are terminated inside of calls', async () => {
    try {
      expect(await run('workers', remote())).toEqual(clean('0 0 0 0'));
    } finally {
      thaw();
    }
  });

  test('holds no more after 10,000 calls than before', async () => {
    const { exitCode, stdout, stderr } = await run('many-calls', []);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    const { before, after } = JSON.parse(stdout);
    expect(after.files).toBe(before.files);
    // Node's own, 16 for calls and one for events, whatever the number of connections.
    expect(after.threads).toBeLessThanOrEqual(32);
    // What leaks is LeakSanitizer's to find; this is for what is kept and reachable, from 13 KiB a round on.
    if (how === 'as it is') expect(after.memory - before.memory).toBeLessThan(16 * 2 ** 20);
  });

  test('lets go of connections that were collected without being closed', async () => {
    const { exitCode, stdout, stderr } = await run('collected', remote());
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    const { before, during, after } = JSON.parse(stdout);
    expect(during).toBeGreaterThanOrEqual(before + 10);
    expect(after).toBeLessThanOrEqual(before);
  });

  test('survives every call with good and bad arguments', async () => {
    const { exitCode, stdout, stderr } = await run('exercise', []);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    const { resolved, rejected, events } = JSON.parse(stdout);
    expect(events).toBe(true);
    expect(resolved).toBeGreaterThan(100);
    expect(rejected).toBeGreaterThan(1000);
  });
});
