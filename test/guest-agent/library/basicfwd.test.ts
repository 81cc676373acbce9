// SPDX-License-Identifier: Apache-2.0
import { execa } from 'execa';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { DpdkProgram } from '../support/dpdk-program.js';
import { pollingLcore, simulatedLibrary, ticksWithin } from '../support/library.js';
import { NetworkNamespace } from '../support/network-namespace.js';
import { sharedDataplane } from '../support/processes.js';

/** Of one test, and of building what it runs, on a busy machine. */
const timeout = 300_000;
const packets = 200;

let library: Awaited<ReturnType<typeof simulatedLibrary>>;
let client: string;
let namespace: NetworkNamespace;

beforeAll(async () => {
  library = await simulatedLibrary();
  ({ client } = await sharedDataplane());
  namespace = await NetworkNamespace.create();
}, timeout);
afterAll(async () => namespace?.close());

/** What it has put on the other interface, as the kernel counts it. */
async function arrived(name: string): Promise<number> {
  const shown: unknown = JSON.parse(await namespace.run('ip', '-j', '-s', 'link', 'show', name));
  const [link] = shown as { stats64: { rx: { packets: number } } }[];
  return link?.stats64.rx.packets ?? 0;
}

test("DPDK's basicfwd with three lines gives its lcore back between packets", { timeout }, async () => {
  const program = DpdkProgram.start(namespace, library.basicfwd, client, {
    eal: ['-l', '1', '--vdev', 'net_tap0,iface=vmcall-b0', '--vdev', 'net_tap1,iface=vmcall-b1'],
  });
  await program.answers();
  const policy = async () => (await pollingLcore(program))?.policy;
  await program.ask('/vmcall/times,300,10000');
  await program.ask('/vmcall/policy,poll');
  await expect.poll(policy, { timeout: 60_000 }).toBe('poll');
  const polling = await ticksWithin(program, 1500);
  await program.ask('/vmcall/policy,simulation');
  await expect.poll(policy, { timeout: 60_000 }).toBe('simulation');
  expect(await ticksWithin(program, 1500)).toBeLessThan(polling / 4);

  const before = await arrived('vmcall-b1');
  await namespace.packets('vmcall-b0', '--count', `${packets}`, '--interval-us', '2000');
  await expect.poll(async () => (await arrived('vmcall-b1')) - before).toBeGreaterThanOrEqual(packets);
  const lcore = await pollingLcore(program);
  expect(lcore).toMatchObject({ queues: 2, code: '' });
  expect(lcore?.wakes_packet).toBeGreaterThan(0);
  await program.stop();
});

test('the library shows its interface and nothing else', { timeout }, async () => {
  const { stdout } = await execa('nm', ['-D', '--defined-only', `${library.folder}/libvmcall.so`]);
  const names = stdout.split('\n').map((line) => line.split(' ')[2] ?? '');
  expect(names).toContain('vmcall_init@@VMCALL_0.1');
  expect(names.filter((name) => !/^(vmcall_\w+@@)?VMCALL_0\.1$/.test(name))).toEqual([]);
  const plugin = await execa('nm', ['-D', '--defined-only', library.plugin]);
  expect(plugin.stdout).toBe('');
});
