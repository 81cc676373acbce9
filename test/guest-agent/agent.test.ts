// SPDX-License-Identifier: Apache-2.0
// The guest agent's program with the real dataplane, on a TAP device in place of a NIC, and a host's sessions over TLS.
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { telemetrySocket } from '../../guest-agent/program/program-keeper.js';
import { Telemetry } from '../../guest-agent/program/telemetry.js';
import type { Health, MeasurementEnded, Report } from '../../src/protocol/messages.js';
import { domainA as domain } from '../host-agent/support/host.js';
import { Command, HostProcess, isAlive, output, sharedDataplane } from './support/processes.js';

// TAP gives RX interrupts, so that poll and injected can be switched; without /dev/net/tun only polling works.
const hasTap = existsSync('/dev/net/tun');

let dataplane: { program: string; client: string };
let folder: string;
let file: string;
let prefix: string;
let host: HostProcess;
let agent: Command;

beforeAll(async () => {
  dataplane = await sharedDataplane();
}, 300_000);

function settings(changes: Record<string, string> = {}): string {
  const cpu = availableParallelism() - 1;
  const vdev = hasTap ? `net_tap0,iface=vm${prefix.slice(-8)}` : 'net_null0';
  const words = ['-l', String(cpu), '--no-huge', '-m', '64', '--no-pci', `--vdev=${vdev}`];
  const all: Record<string, string> = {
    program: JSON.stringify(dataplane.program),
    telemetry_client: JSON.stringify(dataplane.client),
    eal_arguments: JSON.stringify(words),
    file_prefix: JSON.stringify(prefix),
    path: hasTap ? '"injected"' : '"poll"',
    ...changes,
  };
  return `[dataplane]\n${Object.entries(all)
    .map(([key, value]) => `${key} = ${value}\n`)
    .join('')}`;
}

async function configure(changes: Record<string, string> = {}): Promise<void> {
  const before = await readFile(file, 'utf8');
  await writeFile(file, `${before.slice(0, before.indexOf('[dataplane]'))}${settings(changes)}`, {
    mode: 0o600,
  });
}

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'vmcall-agent-'));
  prefix = `vmcall-test-${randomUUID().slice(0, 8)}`;
  file = join(folder, 'guest-agent.toml');
  host = await HostProcess.start(folder);
  await writeFile(
    file,
    await output('enroll', domain, '--host', `127.0.0.1:${host.port}`, '--state', folder),
    { mode: 0o600 },
  );
  await configure();
  agent = Command.start(['guest-agent', '--config', file]);
});
afterEach(async () => {
  agent.child.kill('SIGTERM');
  await agent.exited;
  await dataplanePid()
    .then((pid) => process.kill(pid, 'SIGKILL'))
    .catch(() => {});
  await host.kill();
  await rm(folder, { recursive: true, force: true });
  await rm(`/var/run/dpdk/${prefix}`, { recursive: true, force: true });
});

const isHealth = (wanted: (health: Health) => boolean) => (event: Record<string, unknown>) =>
  wanted(event.health as Health);
const upheld = async (from = 0) =>
  (
    await host.event(
      'health',
      isHealth((health) => health.upheld),
      from,
    )
  ).health as Health;

async function dataplanePid(): Promise<number> {
  const telemetry = new Telemetry(dataplane.client, telemetrySocket(prefix));
  try {
    return ((await telemetry.ask('/info')) as { pid: number }).pid;
  } finally {
    telemetry.close();
  }
}

/** A busy machine takes its time: nothing here is judged by it. */
describe('the guest agent', { timeout: 180_000 }, () => {
  test.skipIf(!hasTap)('switches paths as the host asks, and says why it cannot', async () => {
    expect(await upheld()).toMatchObject({
      dataplane: 'running',
      wanted: 'injected',
      path: 'injected',
      restarts: 0,
    });
    expect(await host.ask(domain, 'set-path', { path: 'poll', idle_threshold_us: 77 })).toMatchObject({
      result: { path: 'poll', idle_threshold_us: 77, switched: true },
    });
    expect(await host.ask(domain, 'set-path', { path: 'poll' })).toMatchObject({
      result: { path: 'poll', idle_threshold_us: 77, switched: false },
    });
    expect(await host.ask(domain, 'set-path', { path: 'injected' })).toMatchObject({
      result: { switched: true },
    });
    // A TAP device has no MSI-X entry to make a doorbell of, and no host here knows the hypercall.
    const refused = await host.ask(domain, 'set-path', { path: 'vmcall' });
    expect(refused).toMatchObject({
      error: {
        code: 'PATH_REFUSED',
        refusal: { path: 'injected', reason: expect.stringMatching(/^E[A-Z]+$/) },
      },
    });
    expect(await host.ask(domain, 'get-health', {})).toMatchObject({
      result: { wanted: 'injected', upheld: true },
    });
  });

  test('reports a measurement while it is on, each second or as asked, and a last time when it is stopped', async () => {
    await upheld();
    const measurement = randomUUID();
    const start = { measurement, interval_ms: 100 };
    expect(await host.ask(domain, 'start-measurement', start)).toMatchObject({
      result: { path: hasTap ? 'injected' : 'poll' },
    });
    expect(
      await host.ask(domain, 'start-measurement', { ...start, measurement: randomUUID() }),
    ).toMatchObject({ error: { code: 'BUSY' } });
    await host.event('report', (event) => (event.report as Report).sequence === 3);
    const stopped = await host.ask(domain, 'stop-measurement', { measurement });
    const reports = host.events
      .filter(({ event }) => event === 'report')
      .map(({ report }) => report as Report);
    expect(stopped).toMatchObject({ result: { reports: reports.length } });
    expect(reports.map(({ sequence }) => sequence)).toEqual(reports.map((_report, index) => index + 1));
    expect(reports.at(-1)?.counters).toHaveProperty('polls');
    expect(await host.ask(domain, 'stop-measurement', { measurement })).toMatchObject({
      error: { code: 'NO_MEASUREMENT' },
    });
  });

  test('killed by SIGKILL, leaves the dataplane forwarding; the next one takes it over as it is', async () => {
    await upheld();
    if (hasTap) await host.ask(domain, 'set-path', { path: 'poll' });
    const pid = await dataplanePid();
    await agent.kill('SIGKILL');
    await host.event('closed');
    expect(await dataplanePid()).toBe(pid);
    const from = host.events.length;
    agent = Command.start(['guest-agent', '--config', file]);
    expect(await upheld(from)).toMatchObject({ path: 'poll', wanted: 'poll', restarts: 0 });
    // Never that it wants what its configuration begins with: the host would switch.
    const told = host.events.slice(from).flatMap(({ health }) => (health ? [health as Health] : []));
    expect(told.filter(({ dataplane }) => dataplane === 'running').map(({ wanted }) => wanted)).toEqual(
      expect.not.arrayContaining(['injected']),
    );
    expect(await dataplanePid()).toBe(pid);
    expect(agent.log).toContainEqual(
      expect.objectContaining({ message: 'the dataplane is there', adopted: true, pid }),
    );
    // What it took over it also answers for.
    process.kill(pid, 'SIGKILL');
    await host.event(
      'health',
      isHealth(({ restarts, upheld }) => restarts === 1 && upheld),
      from,
    );
  });

  test('starts the dataplane again when it is killed, on the path wanted, and ends the measurement', async () => {
    await upheld();
    await host.ask(domain, 'set-path', { path: 'poll' });
    const measurement = randomUUID();
    await host.ask(domain, 'start-measurement', { measurement, interval_ms: 1000 });
    const pid = await dataplanePid();
    process.kill(pid, 'SIGKILL');
    const { ended } = (await host.event('measurement-ended')) as unknown as { ended: MeasurementEnded };
    expect(ended).toMatchObject({ measurement, code: 'DATAPLANE_RESTARTED', message: 'SIGKILL' });
    await host.event(
      'health',
      isHealth(({ dataplane }) => dataplane === 'waiting'),
    );
    const health = await host.event(
      'health',
      isHealth(({ restarts, upheld }) => restarts === 1 && upheld),
    );
    expect(health.health).toMatchObject({ path: 'poll', wanted: 'poll' });
    expect(await dataplanePid()).not.toBe(pid);
  });

  test('comes back to a host that was killed and started again; traffic does not see it', async () => {
    await upheld();
    const pid = await dataplanePid();
    const { port } = host;
    const start = () =>
      host.ask(domain, 'start-measurement', { measurement: randomUUID(), interval_ms: 60_000 });
    expect(await start()).toHaveProperty('result');
    await host.kill('SIGKILL');
    await agent.logged('session lost');
    host = await HostProcess.start(folder, port);
    await host.event('open');
    expect(await upheld()).toMatchObject({ restarts: 0 });
    expect(await dataplanePid()).toBe(pid);
    // The measurement that was on has ended with its session.
    expect(await start()).toHaveProperty('result');
  });

  test('says so while the dataplane hangs, and goes on with it when it goes on', {
    timeout: 90_000,
  }, async () => {
    await upheld();
    const pid = await dataplanePid();
    process.kill(pid, 'SIGSTOP');
    const asked = await host.ask(domain, 'set-path', { path: 'poll' });
    expect(asked).toMatchObject({ error: { code: expect.stringMatching(/^(DATAPLANE_FAILED|DEADLINE)$/) } });
    await host.event(
      'health',
      isHealth(({ reason }) => reason?.code === 'TELEMETRY_FAILED'),
    );
    const from = host.events.length;
    process.kill(pid, 'SIGCONT');
    expect(await upheld(from)).toMatchObject({ restarts: 0 });
    expect(await host.ask(domain, 'set-path', { path: 'poll' })).toMatchObject({ result: { path: 'poll' } });
  });

  test('uses another telemetry client when the one it has is killed', async () => {
    await upheld();
    const { stdout } = await execa('pgrep', ['-P', String(agent.child.pid), '-f', 'vmcall-telemetry']);
    process.kill(Number(stdout.trim()), 'SIGKILL');
    await expect.poll(() => isAlive(Number(stdout.trim()))).toBe(false);
    expect(await host.ask(domain, 'get-health', {})).toMatchObject({ result: { upheld: true } });
  });

  test('reloads: a new threshold at once, other options by a restart, a file with faults not at all', async () => {
    await upheld();
    const pid = await dataplanePid();
    await configure({ idle_threshold_us: '123' });
    agent.child.kill('SIGHUP');
    await agent.logged('configuration reloaded');
    expect(await host.ask(domain, 'get-health', {})).toMatchObject({ result: { idle_threshold_us: 123 } });
    expect(await dataplanePid()).toBe(pid);

    await configure({ idle_threshold_us: '"soon"' });
    agent.child.kill('SIGHUP');
    await agent.logged('dataplane.idle_threshold_us = \\"soon\\"');
    expect(await host.ask(domain, 'get-health', {})).toMatchObject({ result: { idle_threshold_us: 123 } });

    // A reload that failed is not remembered as done.
    process.kill(pid, 'SIGSTOP');
    await configure({ idle_threshold_us: '456' });
    agent.child.kill('SIGHUP');
    await expect.poll(() => agent.said.split('not reloaded').length, { timeout: 30_000 }).toBe(3);
    process.kill(pid, 'SIGCONT');
    agent.child.kill('SIGHUP');
    await expect
      .poll(async () => (await host.ask(domain, 'get-health', {})).result, { timeout: 20_000 })
      .toMatchObject({ idle_threshold_us: 456 });

    const from = host.events.length;
    await configure({ idle_threshold_us: '123', arguments: '["--pause"]' });
    agent.child.kill('SIGHUP');
    await host.event(
      'health',
      isHealth(({ dataplane }) => dataplane === 'running'),
      from,
    );
    await expect
      .poll(async () => (await host.ask(domain, 'get-health', {})).result, { timeout: 20_000 })
      .toMatchObject({ upheld: true });
    expect(await dataplanePid()).not.toBe(pid);
    expect(isAlive(pid)).toBe(false);
  });

  test('stops cleanly: the dataplane too, the session with 1001, exit code 0', async () => {
    await upheld();
    const pid = await dataplanePid();
    agent.child.kill('SIGTERM');
    expect(await agent.exited).toEqual([0, null]);
    expect(isAlive(pid)).toBe(false);
    expect(await host.event('closed')).toMatchObject({ closed: { code: 1001, by: 'them' } });
    expect(agent.said).toContain('vmcall-dataplane: ended: rx');
  });

  test('notifies systemd when it is ready and when it stops', async () => {
    await agent.kill('SIGKILL');
    const socket = join(folder, 'notify');
    // perl-base is on every Debian; Node.js has no datagram sockets of the Unix domain.
    const script =
      'use Socket; socket(S,AF_UNIX,SOCK_DGRAM,0); bind(S,sockaddr_un($ARGV[0])) or die $!; $|=1; print "bound\\n"; while (defined(recv(S,$m,4096,0))) { $m =~ s/\\n/ /g; print "$m\\n" }';
    const listener = spawn('perl', ['-e', script, socket]);
    let heard = '';
    listener.stdout.setEncoding('utf8').on('data', (text: string) => {
      heard += text;
    });
    await once(listener.stdout, 'data');
    agent = Command.start(['guest-agent', '--config', file], { NOTIFY_SOCKET: socket });
    await expect.poll(() => heard, { timeout: 20_000 }).toMatch(/READY=1/);
    expect(heard).toContain(`MAINPID=${agent.child.pid}`);
    // While systemd-notify still runs: its end is no reason to skip ours.
    agent.child.kill('SIGTERM');
    expect(await agent.exited).toEqual([0, null]);
    await expect.poll(() => heard).toMatch(/STOPPING=1/);
    listener.kill();
  });
});

describe('a guest agent whose dataplane cannot run', () => {
  test('is there all the same, and says so', async () => {
    await agent.kill('SIGTERM');
    await configure({ program: '"/nonexistent/vmcall-dataplane"' });
    const from = host.events.length;
    agent = Command.start(['guest-agent', '--config', file]);
    await host.event(
      'health',
      isHealth(({ dataplane, path }) => dataplane === 'waiting' && path === null),
      from,
    );
    expect(await host.ask(domain, 'set-path', { path: 'poll' })).toMatchObject({
      error: { code: 'NOT_READY' },
    });
    await agent.logged('ENOENT');
  });

  test('leaves another program with its file prefix alone', async () => {
    await upheld();
    const pid = await dataplanePid();
    await agent.kill('SIGKILL');
    const copy = join(folder, 'vmcall-dataplane');
    await copyFile(dataplane.program, copy);
    await configure({ program: JSON.stringify(copy) });
    agent = Command.start(['guest-agent', '--config', file]);
    await agent.logged(`process ${pid}, which is not ${copy}, uses the file prefix ${prefix}`);
    expect(isAlive(pid)).toBe(true);
  });

  test('with a file that is wrong exits 3 and names file, key and value', async () => {
    await configure({ path: '"fast"' });
    await agent.kill('SIGTERM');
    agent = Command.start(['guest-agent', '--config', file]);
    expect(await agent.exited).toEqual([3, null]);
    expect(agent.said).toContain(`${file}: dataplane.path = "fast": `);
  });
});
