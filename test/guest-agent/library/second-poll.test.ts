// SPDX-License-Identifier: Apache-2.0
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { DpdkProgram } from '../support/dpdk-program.js';
import { pollingLcore, simulatedLibrary } from '../support/library.js';
import { NetworkNamespace } from '../support/network-namespace.js';
import { sharedDataplane } from '../support/processes.js';

/** Of one test, and of building what it runs, on a busy machine. */
const timeout = 300_000;
const packets = 200;
/** An lcore that has slept so long arms again, over which it takes the delay: there the packets hit. */
const limitUs = 20_000;
const armDelayUs = 5000;
const intervalUs = 26_000;

let client: string;
let namespace: NetworkNamespace;
let folder: string | undefined;

beforeAll(async () => {
  ({ client } = await sharedDataplane());
  namespace = await NetworkNamespace.create();
  folder = await mkdtemp(join(tmpdir(), 'vmcall-second-poll-'));
}, timeout);
afterAll(async () => {
  await namespace?.close();
  if (folder) await rm(folder, { recursive: true, force: true });
});

/** Packets that come just as the lcore arms: the window is made wide. */
async function run(name: string, ...words: string[]) {
  const library = await simulatedLibrary(...words);
  const file = join(folder ?? '', 'plugin.conf');
  await writeFile(file, `policy = poll\nidle_threshold_us = 300\nlimit_us = ${limitUs}\n`);
  const program = DpdkProgram.start(namespace, 'dpdk-testpmd', client, {
    eal: ['--lcores', '0@0,1@1', '--vdev', `net_tap0,iface=${name}`, '-d', library.plugin],
    own: ['-i', '--total-num-mbufs=2048', '--port-topology=loop', '--forward-mode=macswap'],
    environment: { VMCALL_PLUGIN_CONF: file, VMCALL_SIMULATION_ARM_DELAY_US: `${armDelayUs}` },
  });
  try {
    await program.says(/testpmd> /);
    program.types('start');
    await expect.poll(() => pollingLcore(program), { timeout: 60_000 }).toBeTruthy();
    await program.ask('/vmcall/policy,simulation');
    await expect
      .poll(async () => (await pollingLcore(program))?.policy, { timeout: 60_000 })
      .toBe('simulation');
    const result = await namespace.packets(name, '--count', `${packets}`, '--interval-us', `${intervalUs}`);
    return { result, lcore: await pollingLcore(program) };
  } finally {
    program.child.kill('SIGKILL');
    await program.ended;
  }
}

test('packets that come just as an lcore arms are found by the poll after it; a build without it leaves them', {
  timeout,
}, async () => {
  const right = await run('vmcall-p2');
  expect(right.result).toMatchObject({ received: packets });
  expect(right.lcore?.packets_after_arm).toBeGreaterThan(packets / 20);
  const wrong = await run('vmcall-p1', 'FAULT=no-repoll');
  expect(wrong.lcore?.packets_after_arm).toBe(0);
  expect(wrong.lcore?.packets_after_limit).toBeGreaterThan(packets / 20);
  expect(wrong.lcore?.packets_after_limit).toBeGreaterThan(right.lcore?.packets_after_limit ?? 0);
});
