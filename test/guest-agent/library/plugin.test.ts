// SPDX-License-Identifier: Apache-2.0
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { DpdkProgram } from '../support/dpdk-program.js';
import { pollingLcore, simulatedLibrary, ticksWithin } from '../support/library.js';
import { NetworkNamespace } from '../support/network-namespace.js';
import { sharedDataplane } from '../support/processes.js';

/** Of one test, and of building what it runs, on a busy machine. */
const timeout = 300_000;
const packets = 200;
const measuredMs = 1500;

let library: Awaited<ReturnType<typeof simulatedLibrary>>;
let client: string;
let namespace: NetworkNamespace;
let folder: string | undefined;
let program: DpdkProgram | undefined;

beforeAll(async () => {
  library = await simulatedLibrary();
  ({ client } = await sharedDataplane());
  namespace = await NetworkNamespace.create();
  folder = await mkdtemp(join(tmpdir(), 'vmcall-plugin-'));
}, timeout);
afterEach(async () => {
  program?.child.kill('SIGKILL');
  await program?.ended;
});
afterAll(async () => {
  await namespace?.close();
  if (folder) await rm(folder, { recursive: true, force: true });
});

/** Debian's testpmd, with one TAP port that it sends everything back out of; it knows nothing of us. */
async function testpmd(settings: string, options: { way?: 'eal' | 'preload' } = {}): Promise<DpdkProgram> {
  const { way = 'eal' } = options;
  const file = join(folder ?? '', 'plugin.conf');
  await writeFile(file, settings);
  const started = DpdkProgram.start(namespace, 'dpdk-testpmd', client, {
    eal: [
      ...['--lcores', '0@0,1@1', '--vdev', `net_tap0,iface=vmcall-pmd`],
      ...(way === 'eal' ? ['-d', library.plugin] : []),
    ],
    own: ['-i', '--total-num-mbufs=2048', '--port-topology=loop', '--forward-mode=macswap'],
    environment: {
      VMCALL_PLUGIN_CONF: file,
      ...(way === 'preload' ? { LD_PRELOAD: library.plugin } : {}),
    },
  });
  program = started;
  await started.says(/testpmd> /);
  started.types('start');
  return started;
}

const allReturn = () => namespace.returns('vmcall-pmd', packets);

const on = (started: DpdkProgram, policy: string) =>
  expect
    .poll(async () => (await pollingLcore(started))?.policy, { timeout: 60_000, interval: 100 })
    .toBe(policy);

describe('dpdk-testpmd, unmodified', () => {
  test('polls until it is switched, then gives its lcore back and forwards on', { timeout }, async () => {
    const started = await testpmd('limit_us = 10000\n');
    await on(started, 'poll');
    const polling = await ticksWithin(started, measuredMs);
    expect(await started.ask('/vmcall/policy,simulation')).toMatchObject({ code: '' });
    await on(started, 'simulation');
    expect(await ticksWithin(started, measuredMs)).toBeLessThan(polling / 4);
    await allReturn();
    const lcore = await pollingLcore(started);
    expect(lcore?.wakes_packet).toBeGreaterThan(0);
    expect(lcore).toMatchObject({ code: '', error: '' });
    // And back.
    await started.ask('/vmcall/policy,poll');
    await on(started, 'poll');
    const sleeps = (await pollingLcore(started))?.sleeps;
    await allReturn();
    expect((await pollingLcore(started))?.sleeps).toBe(sleeps);
  });

  test('sleeps by interrupts too, as its file says', { timeout }, async () => {
    const started = await testpmd('policy = interrupt  # from the start\nlimit_us = 10000\n');
    await on(started, 'interrupt');
    await allReturn();
    expect((await pollingLcore(started))?.wakes_packet).toBeGreaterThan(0);
  });

  test('stops, starts and quits while its lcore sleeps', { timeout }, async () => {
    const started = await testpmd('limit_us = 1000\n');
    await started.ask('/vmcall/policy,simulation');
    await on(started, 'simulation');
    for (const word of ['stop', 'port stop all', 'port start all', 'start']) started.types(word);
    await allReturn();
    await on(started, 'simulation');
    started.types('quit');
    expect(await started.ended).toBe(0);
  });

  test('loads it by LD_PRELOAD as well', { timeout }, async () => {
    const started = await testpmd('limit_us = 10000\n', { way: 'preload' });
    await started.ask('/vmcall/policy,simulation');
    await on(started, 'simulation');
    await allReturn();
  });

  test('polls a port and an lcore that its file leaves out', { timeout }, async () => {
    const started = await testpmd('lcores = 7-9\npolicy = interrupt\n');
    await on(started, 'poll');
    await allReturn();
    expect(await pollingLcore(started)).toMatchObject({ policy: 'poll', sleeps: 0 });
  });

  test('runs without it where the file is wrong, and reports file, line and what was expected', {
    timeout,
  }, async () => {
    const started = await testpmd('idle_threshold_us = 300\npolicy = nap\n');
    expect(started.output).toMatch(
      /vmcall: nothing is done: EINVAL: .*:2: policy = nap: wanted poll, interrupt/,
    );
    await allReturn();
  });

  test('says what the policy lacks here, and takes the next that works', { timeout }, async () => {
    const started = await testpmd('policy = pv-kick\n');
    await on(started, 'interrupt');
    const lcore = await pollingLcore(started);
    expect(lcore?.code).not.toBe('');
    expect(lcore?.error).not.toBe('');
    await allReturn();
  });
});
