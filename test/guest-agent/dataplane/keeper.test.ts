// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { cached } from '../../../src/support/cache.js';
import { projectRoot } from '../../../src/support/paths.js';
import { DpdkProgram } from '../support/dpdk-program.js';
import { NetworkNamespace } from '../support/network-namespace.js';
import { sharedDataplane } from '../support/processes.js';
import { VhostSwitch } from '../support/vhost-switch.js';

/** Of one test, and of building what it runs, on a busy machine. */
const timeout = 300_000;
const packets = 100;

/** Does to port 0 what a driver in trouble does. */
async function portEvents(): Promise<string> {
  const source = join(projectRoot, 'test', 'guest-agent', 'dataplane', 'port_events.c');
  const { stdout: flags } = await execa('pkg-config', ['--cflags', 'libdpdk']);
  const folder = await cached('test-port-events', { files: [source], values: [flags] }, async (target) => {
    const library = join(target, 'port_events.so');
    await execa('gcc', [
      '-shared',
      '-fPIC',
      '-O2',
      ...flags.trim().split(/\s+/),
      '-o',
      library,
      source,
      '-ldl',
    ]);
  });
  return join(folder, 'port_events.so');
}

let shared: Awaited<ReturnType<typeof sharedDataplane>>;
let preload: string;
let namespace: NetworkNamespace;

beforeAll(async () => {
  shared = await sharedDataplane();
  preload = await portEvents();
  namespace = await NetworkNamespace.create();
}, timeout);
afterAll(async () => namespace?.close());

async function dataplane(
  eal: readonly string[],
  own: readonly string[],
  environment: Record<string, string> = {},
): Promise<DpdkProgram> {
  const program = DpdkProgram.start(namespace, shared.program, shared.client, {
    eal: [...(eal.includes('--lcores') ? [] : ['-l', '0']), ...eal],
    own,
    environment: { LD_PRELOAD: preload, ...environment },
  });
  await program.says(/vmcall-dataplane: ready: /);
  return program;
}

const tap = (name: string) => ['--vdev', `net_tap0,iface=${name}`];

describe('with RX interrupts that are armed', () => {
  let vhost: VhostSwitch;
  const netInterface = 'vmcall-vu';

  beforeAll(async () => {
    vhost = await VhostSwitch.start(namespace, shared.client, netInterface);
  }, timeout);
  afterAll(async () => vhost?.stop());

  const exchange = () => namespace.packets(netInterface, '--count', `${packets}`, '--interval-us', '2000');
  /** A machine that is busy elsewhere may be late with some. */
  const allReturn = () =>
    expect.poll(async () => (await exchange()).received, { timeout: 60_000 }).toBe(packets);

  test('it sleeps, wakes for packets, and never sleeps longer than its bound', { timeout }, async () => {
    const program = await dataplane(vhost.vdev, ['--policy', 'interrupt']);
    await allReturn();
    const stats = await program.ask('/vmcall/stats');
    expect(stats).toMatchObject({ policy: 'interrupt', fallbacks: 0 });
    expect(stats.wakes_packet).toBeGreaterThan(0);
    // Nobody sends: what ends a sleep now is its bound alone.
    await expect.poll(() => program.number('/vmcall/stats', 'wakes_timeout')).toBeGreaterThan(2);
    expect(await program.number('/vmcall/info', 'wait_timeout_us')).toBe(100_000);
    expect(await program.stop()).toBe(0);
  });

  // As DPDK's igb VF driver: its queue can be put into epoll, and never interrupts.
  test('a driver that cannot arm is not slept on: polling, with the reason', { timeout }, async () => {
    const program = await dataplane(vhost.vdev, ['--policy', 'interrupt'], { VMCALL_TEST_REFUSE: '95' });
    expect(program.output).toContain('ready: policy poll');
    expect(await program.ask('/vmcall/info')).toMatchObject({
      policy: 'poll',
      code: 'ENOTSUP',
      error: expect.stringContaining('net_virtio_user cannot arm an RX interrupt'),
    });
    expect(await program.ask('/vmcall/policy,interrupt')).toMatchObject({ policy: 'poll', code: 'ENOTSUP' });
    await allReturn();
    expect(await program.number('/vmcall/stats', 'waits')).toBe(0);
    await program.stop();
  });

  test('an arming refused while it runs ends in polling, with code and text', { timeout }, async () => {
    const program = await dataplane(vhost.vdev, ['--policy', 'interrupt']);
    await program.ask('/test/refuse,5');
    await expect.poll(() => program.ask('/vmcall/policy')).toMatchObject({ policy: 'poll' });
    expect(await program.ask('/vmcall/info')).toMatchObject({
      code: 'EIO',
      error: expect.stringContaining('refuses to arm its RX interrupt'),
    });
    const before = await program.number('/vmcall/stats', 'waits');
    await allReturn();
    expect(await program.number('/vmcall/stats', 'waits')).toBe(before);
    // And back, once it works again.
    await program.ask('/test/refuse,0');
    expect(await program.ask('/vmcall/policy,interrupt')).toMatchObject({ policy: 'interrupt', code: '' });
    await program.stop();
  });

  test('a port whose PF resets it runs again, in the previous policy', { timeout }, async () => {
    const program = await dataplane(vhost.vdev, ['--policy', 'interrupt']);
    await program.ask('/test/event,reset');
    await program.says(/the port runs again, policy interrupt/);
    expect(await program.ask('/vmcall/info')).toMatchObject({ port_resets: 1, policy: 'interrupt' });
    await allReturn();
    expect(await program.number('/vmcall/stats', 'wakes_packet')).toBeGreaterThan(0);
    expect(await program.stop()).toBe(0);
  });
});

test('a link that goes down and up is reported', { timeout }, async () => {
  const program = await dataplane(tap('vmcall-link'), []);
  expect(await program.number('/vmcall/info', 'link_up')).toBe(1);
  await namespace.run('ip', 'link', 'set', 'vmcall-link', 'down');
  await program.says(/link down/);
  expect(await program.number('/vmcall/info', 'link_up')).toBe(0);
  await namespace.run('ip', 'link', 'set', 'vmcall-link', 'up');
  await program.says(/link up\n/);
  expect(await program.ask('/vmcall/info')).toMatchObject({ link_up: 1, link_changes: 2 });
  await program.stop();
});

test('a port that is taken away ends the program, with a failure', { timeout }, async () => {
  const program = await dataplane(tap('vmcall-gone'), []);
  await program.ask('/test/event,removed');
  expect(await program.ended).toBe(1);
  expect(program.output).toContain('ENODEV: net_tap0 was taken away');
});

test('what is given beside one port and one lcore is reported', { timeout }, async () => {
  const program = await dataplane([...tap('vmcall-one'), '--vdev', 'net_null0', '--lcores', '0@0,1@0'], []);
  expect(program.output).toMatch(/of 2 ports only net_tap0 is served/);
  expect(program.output).toMatch(/of 2 lcores only 0 is used/);
  await program.stop();
});

test('a wrong option takes no NIC', { timeout }, async () => {
  const program = DpdkProgram.start(namespace, shared.program, shared.client, {
    eal: tap('vmcall-never'),
    own: ['--policy', 'nap'],
  });
  expect(await program.ended).toBe(1);
  expect(program.output).toMatch(/--policy nap: wanted/);
  expect(program.output).not.toMatch(/EAL/);
});
