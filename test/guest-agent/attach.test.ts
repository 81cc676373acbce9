// SPDX-License-Identifier: Apache-2.0
// The guest agent's program attached to Debian's testpmd, which has our plugin, on a TAP device in place of a NIC.
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import type { Health, MeasurementEnded, Report } from '../../src/protocol/messages.js';
import { domainA as domain } from '../host-agent/support/host.js';
import { DpdkProgram } from './support/dpdk-program.js';
import { simulatedLibrary } from './support/library.js';
import { NetworkNamespace } from './support/network-namespace.js';
import { Command, HostProcess, isAlive, output, sharedDataplane } from './support/processes.js';

const timeout = 300_000;
const packets = 200;

let plugin: string;
let client: string;
let namespace: NetworkNamespace;
let folder: string;
let host: HostProcess;
let program: DpdkProgram;
let agent: Command;

beforeAll(async () => {
  ({ plugin } = await simulatedLibrary());
  ({ client } = await sharedDataplane());
  namespace = await NetworkNamespace.create();
}, timeout);
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'vmcall-attach-'));
  await writeFile(join(folder, 'plugin.conf'), 'limit_us = 10000\nidle_threshold_us = 300\n');
  host = await HostProcess.start(folder);
});
afterEach(async () => {
  agent?.child.kill('SIGKILL');
  program?.child.kill('SIGKILL');
  await Promise.all([agent?.exited, program?.ended, host.kill()]);
  await rm(folder, { recursive: true, force: true });
});
afterAll(async () => {
  await namespace?.close();
});

interface Lcores {
  /** That forward, with one queue each. */
  forwarding: number;
  withPlugin?: boolean;
  prefix?: string;
}

/** testpmd as anybody starts it; on a machine of two CPUs its lcores share them. */
async function testpmd({ forwarding, withPlugin = true, prefix }: Lcores): Promise<DpdkProgram> {
  const lcores = [...Array(forwarding + 1).keys()].map((lcore) => `${lcore}@${lcore % 2}`).join(',');
  const started = DpdkProgram.start(namespace, 'dpdk-testpmd', client, {
    eal: ['--lcores', lcores, '--vdev', 'net_tap0,iface=vmcall-pmd', ...(withPlugin ? ['-d', plugin] : [])],
    own: [
      ...['-i', '--total-num-mbufs=4096', '--port-topology=loop', '--forward-mode=macswap'],
      ...[`--nb-cores=${forwarding}`, `--rxq=${forwarding}`, `--txq=${forwarding}`],
    ],
    environment: { VMCALL_PLUGIN_CONF: join(folder, 'plugin.conf') },
    ...(prefix !== undefined && { prefix }),
  });
  program = started;
  await started.says(/testpmd> /);
  started.types('start');
  return started;
}

async function attach(): Promise<void> {
  const file = join(folder, 'guest-agent.toml');
  const enrolment = await output('enroll', domain, '--host', `127.0.0.1:${host.port}`, '--state', folder);
  const ours = [
    '[application]',
    `telemetry_client = ${JSON.stringify(client)}`,
    `file_prefix = ${JSON.stringify(program.filePrefix)}`,
  ];
  await writeFile(file, [enrolment.slice(0, enrolment.indexOf('[dataplane]')), ...ours, ''].join('\n'), {
    mode: 0o600,
  });
  agent = Command.start(['guest-agent', '--config', file]);
}

async function health(wanted: (health: Health) => boolean, from = 0): Promise<Health> {
  const event = await host.event('health', (each) => wanted(each.health as Health), from);
  return event.health as Health;
}

const askNow = (method: 'set-path' | 'start-measurement' | 'stop-measurement', params: object) =>
  host.ask(domain, method, params as never);

const allReturn = () => namespace.returns('vmcall-pmd', packets);

test('switches and measures a program that runs already, and leaves it running', { timeout }, async () => {
  await testpmd({ forwarding: 1 });
  await attach();
  expect(await health(({ upheld }) => upheld)).toMatchObject({ path: 'poll', wanted: 'poll', restarts: 0 });
  expect(await askNow('set-path', { path: 'injected', idle_threshold_us: 250 })).toMatchObject({
    result: { path: 'injected', idle_threshold_us: 250, switched: true },
  });
  // A TAP device has no MSI-X entry to make a doorbell of: what was in force before stays.
  expect(await askNow('set-path', { path: 'vmcall' })).toMatchObject({
    error: {
      code: 'PATH_REFUSED',
      refusal: { path: 'injected', reason: expect.stringMatching(/^E[A-Z]+$/) },
    },
  });
  const measurement = randomUUID();
  const start = { measurement, interval_ms: 100, wake_times: true };
  expect(await askNow('start-measurement', start)).toMatchObject({ result: { path: 'injected' } });
  await allReturn();
  await askNow('stop-measurement', { measurement });
  const reports = host.events.flatMap(({ report }) => (report ? [report as Report] : []));
  expect(reports.at(-1)?.counters.rx).toBeGreaterThanOrEqual(packets);
  expect(reports.at(-1)?.counters.wakes_packet).toBeGreaterThan(0);
  // One lcore sleeps, so the host can date its sleeps.
  expect(reports.some(({ wake_times: times }) => times?.data.some((part) => part !== ''))).toBe(true);
  agent.child.kill('SIGTERM');
  expect(await agent.exited).toEqual([0, null]);
  expect(isAlive(program.child.pid ?? 0)).toBe(true);
  await allReturn();
});

test('ends a measurement when the program ends, and puts its next life on the same path', {
  timeout,
}, async () => {
  const { filePrefix: prefix } = await testpmd({ forwarding: 1 });
  await attach();
  await health(({ upheld }) => upheld);
  await askNow('set-path', { path: 'injected' });
  const measurement = randomUUID();
  await askNow('start-measurement', { measurement, interval_ms: 1000 });
  const from = host.events.length;
  process.kill(await program.number('/info', 'pid'), 'SIGKILL');
  const { ended } = (await host.event('measurement-ended')) as unknown as { ended: MeasurementEnded };
  expect(ended).toMatchObject({ measurement, code: 'DATAPLANE_RESTARTED' });
  const absent = await health(({ reason }) => reason?.code === 'APPLICATION_ABSENT', from);
  expect(absent).toMatchObject({ dataplane: 'waiting', path: null, wanted: 'injected' });
  await program.ended;
  await testpmd({ forwarding: 1, prefix });
  expect(await health(({ upheld }) => upheld, host.events.indexOf(absent as never) + 1 + from)).toMatchObject(
    {
      path: 'injected',
      wanted: 'injected',
      restarts: 1,
    },
  );
  await allReturn();
});

test('adds up the lcores of a program that has several, and dates none of their sleeps', {
  timeout,
}, async () => {
  await testpmd({ forwarding: 2 });
  await attach();
  await health(({ upheld }) => upheld);
  await askNow('set-path', { path: 'injected' });
  await expect
    .poll(() => program.ask('/vmcall/info'), { timeout: 60_000 })
    .toMatchObject({ lcores: 2, queues: 2, lcores_refused: 0, policy: 'interrupt' });
  const measurement = randomUUID();
  await askNow('start-measurement', { measurement, interval_ms: 100, wake_times: true });
  await allReturn();
  await askNow('stop-measurement', { measurement });
  const last = host.events.flatMap(({ report }) => (report ? [report as Report] : [])).at(-1);
  expect(last?.counters.rx).toBeGreaterThanOrEqual(packets);
  expect(last?.wake_times).toMatchObject({ data: expect.arrayContaining(['']) });
  expect(last?.wake_times?.missed).toBeGreaterThan(0);
});

test('says that a program has not loaded the plugin', { timeout }, async () => {
  await testpmd({ forwarding: 1, withPlugin: false });
  await attach();
  expect(await health(({ reason }) => reason !== null)).toMatchObject({
    dataplane: 'waiting',
    reason: { code: 'APPLICATION_WITHOUT_LIBRARY', message: expect.stringContaining('vmcall-plugin.so') },
  });
  expect(await askNow('set-path', { path: 'poll' })).toMatchObject({ error: { code: 'NOT_READY' } });
});
