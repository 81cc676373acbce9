// SPDX-License-Identifier: Apache-2.0
// The host agent as a process, on a libvirtd of its own with libvirt's test driver, on a folder in place of KVM's files,
// with a guest over TLS.
import { stat, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type Connection, openConnection } from '../../host-agent/native/connection.js';
import type { Domain } from '../../host-agent/native/domain.js';
import { formatDesired, metadataPrefix, metadataUri } from '../../host-agent/switch/metadata.js';
import { projectRoot } from '../../src/support/paths.js';
import { Command } from '../guest-agent/support/processes.js';
import { buildTimeout, builtAddon } from './native/children.js';
import { type Libvirtd, startLibvirtd } from './native/libvirtd.js';
import { domain, HostBench } from './support/host-bench.js';
import type { StandInGuest } from './support/stand-in-guest.js';

let libvirtd: Libvirtd;
let libvirt: Connection;
let handle: Domain;
let bench: HostBench;
let guest: StandInGuest;

beforeAll(() => builtAddon(), buildTimeout);

/** The test driver's domains live as long as somebody is connected. */
async function connect(at?: string): Promise<void> {
  libvirtd = await startLibvirtd(at);
  libvirt = await openConnection(libvirtd.uri('test:///default'));
  handle = await libvirt.domainByUuid(domain.uuid);
}
beforeAll(() => connect());
afterAll(async () => {
  await libvirt.close();
  await libvirtd.stop();
});

beforeEach(async () => {
  await handle.setMetadata(metadataUri, metadataPrefix, null, 'live+config').catch(() => {});
  bench = await HostBench.create(libvirtd.uri('test:///default'));
});
afterEach(() => bench.stop());

/** `vmcall WORDS`, whatever becomes of it. */
function vmcall(...words: string[]) {
  const socket = words.includes('--socket') || words[0] === 'enroll' ? [] : ['--socket', bench.socket];
  return execa(process.execPath, [join(projectRoot, 'dist/src/cli/main.js'), ...words, ...socket], {
    reject: false,
  });
}

const onVmcall = { desired: 'vmcall', actual: 'vmcall', phase: 'reached', reason: null };
const onInjected = { desired: 'injected', actual: 'injected', phase: 'reached', reason: null };
const wish = (path: 'vmcall' | 'injected') =>
  handle.setMetadata(metadataUri, metadataPrefix, formatDesired(path), 'live+config');

async function startBoth(): Promise<void> {
  await bench.startAgent();
  guest = await bench.startGuest();
  await bench.until({ guest: { health: { dataplane: 'running' } } });
}

describe('enable and disable', () => {
  beforeEach(startBoth);

  test('allow in KVM and tell the guest; and back', async () => {
    expect(await vmcall('enable', domain.name)).toMatchObject({ exitCode: 0, stdout: 'test: vmcall' });
    expect(await bench.switches()).toEqual(['1', '1']);
    expect(guest.told).toEqual(['vmcall']);
    expect(await bench.until(onVmcall)).toMatchObject({ kvm: { support: 'present', vcpu_yield: true } });
    expect(await handle.metadata(metadataUri, 'live')).toBe('<desired path="vmcall"/>');
    expect(await handle.metadata(metadataUri, 'config')).toBe('<desired path="vmcall"/>');

    let atGuestsTurn: string[] = [];
    guest.onTold = async () => {
      atGuestsTurn = await bench.switches();
    };
    expect(await vmcall('disable', domain.uuid)).toMatchObject({ exitCode: 0, stdout: 'test: injected' });
    expect(atGuestsTurn).toEqual(['1', '1']);
    expect(await bench.switches()).toEqual(['0', '0']);
    expect(guest.told).toEqual(['vmcall', 'injected']);
    await bench.until(onInjected);
  });

  test('twice is as good as once', async () => {
    for (const _time of [1, 2]) expect(await vmcall('enable', '1')).toMatchObject({ exitCode: 0 });
    expect(guest.told).toEqual(['vmcall']);
  });

  test('with --dry-run say what would be done and do nothing', async () => {
    const { stdout, exitCode } = await vmcall('enable', 'test', '--dry-run');
    expect(exitCode).toBe(0);
    expect(stdout.split('\n')).toEqual([
      'test: would change desired from injected to vmcall',
      '  then allow VM calls in KVM',
      '  then tell the guest to take the VM-call path',
    ]);
    await expect(handle.metadata(metadataUri)).rejects.toThrow();
    expect(await bench.switches()).toEqual(['0', '0']);
  });

  test('with --no-wait leave it to the agent', async () => {
    expect(await vmcall('enable', 'test', '--no-wait')).toMatchObject({ exitCode: 0 });
    await bench.until(onVmcall);
  });

  test('a guest that refuses: switches off, traffic on the injected path, and the reason; then it can', async () => {
    guest.refuses = true;
    const { exitCode, stderr } = await vmcall('enable', 'test');
    expect(exitCode).toBe(1);
    expect(stderr).toContain(
      'PATH_REFUSED: test: the guest refused (ENOENT): it cannot (desired vmcall, actual injected)',
    );
    await expect.poll(() => bench.switches()).toEqual(['0', '0']);
    expect(guest.path).toBe('injected');
    guest.refuses = false;
    await bench.until(onVmcall);
  });

  test('a guest that says yes and stays where it is', async () => {
    guest.ignores = true;
    const { exitCode, stderr } = await vmcall('enable', 'test');
    expect([exitCode, stderr]).toEqual([1, expect.stringContaining('GUEST_CONTRADICTS')]);
    await expect.poll(() => bench.switches()).toEqual(['0', '0']);
  });

  test('a guest that says it is on vmcall, where KVM counts nothing', async () => {
    guest.lies = true;
    const { exitCode, stderr } = await vmcall('enable', 'test');
    expect([exitCode, stderr]).toEqual([1, expect.stringContaining('YIELDS_MISSING: ')]);
    await bench.until({ actual: 'unknown', guest: { health: { path: 'vmcall', upheld: true } } });
    guest.lies = false;
    await bench.until(onVmcall);
    guest.lies = true;
    await bench.until({ actual: 'unknown', phase: 'blocked', reason: { code: 'YIELDS_MISSING' } });
  });

  test('a guest that does not go back: KVM has the last word, and it is shown', async () => {
    await vmcall('enable', 'test');
    guest.ignores = true;
    guest.lies = true;
    const { exitCode, stderr } = await vmcall('disable', 'test');
    expect([exitCode, stderr]).toEqual([1, expect.stringContaining('GUEST_CONTRADICTS')]);
    expect(await bench.switches()).toEqual(['0', '0']);
    await bench.until({ desired: 'injected', actual: 'injected', guest: { health: { path: 'vmcall' } } });
    guest.ignores = false;
    await bench.until(onInjected);
  });
});

describe('events', () => {
  test('alone are enough: metadata, health, the life of the domain', async () => {
    await bench.configure({ reconciler: 'interval_s = 1000\nyields_within_s = 3000' });
    await bench.startAgent();
    await bench.until({ desired_from: 'default' });
    await wish('vmcall');
    await bench.until({ phase: 'blocked', reason: { code: 'GUEST_ABSENT' } });
    guest = await bench.startGuest();
    await bench.until(onVmcall);
    guest.reboot();
    await expect.poll(() => guest.path, { timeout: 10_000 }).toBe('vmcall');
    await wish('injected');
    await bench.until(onInjected);
    await handle.destroy();
    await bench.until({ domain: 'off' });
    await handle.start();
    await bench.until({ domain: 'running' });
  });
});

describe('a kernel without the series', () => {
  test('is not supported: exit code 4, nothing told, nothing changed', async () => {
    await bench.startVm(99, []);
    await startBoth();
    const { exitCode, stderr } = await vmcall('enable', 'test');
    expect(exitCode).toBe(4);
    expect(stderr).toContain('KVM_UNSUPPORTED');
    expect(stderr).toContain('no vcpu_yield, irqfd_hardirq, vcpu_yields');
    expect(guest.told).toEqual(['injected'].slice(0, guest.told.length));
    await bench.until({ actual: 'injected', kvm: { support: 'unsupported', vcpu_yield: null } });
  });
});

describe('a host agent that is killed', () => {
  test.each([
    ['before it allows', 'vcpu_yield=1'],
    ['between the two switches', 'vcpu_yield=1+'],
    ['after it allowed', 'irqfd_hardirq=1+'],
  ])('%s goes on from there', async (_when, dieAt) => {
    await startBoth();
    await bench.agent.kill('SIGKILL');
    await wish('vmcall');
    await bench.startAgent(dieAt);
    expect(await bench.agent.exited).toEqual([null, 'SIGKILL']);
    expect(guest.path).toBe('injected');
    await bench.startAgent();
    await bench.until(onVmcall);
    expect(guest.told).toEqual(['vmcall']);
  });

  test.each([
    ['before it forbids', 'vcpu_yield=0'],
    ['between the two switches, on the way back', 'vcpu_yield=0+'],
    ['after it forbade', 'irqfd_hardirq=0+'],
  ])('%s goes on from there', async (_when, dieAt) => {
    await startBoth();
    await vmcall('enable', 'test');
    await bench.agent.kill('SIGKILL');
    await wish('injected');
    await bench.startAgent(dieAt);
    expect(await bench.agent.exited).toEqual([null, 'SIGKILL']);
    await bench.startAgent();
    await bench.until({ ...onInjected, guest: { health: { path: 'injected', wanted: 'injected' } } });
    expect(await bench.switches()).toEqual(['0', '0']);
  });

  test.each(['vmcall', 'injected'] as const)('while the guest takes %s up', async (path) => {
    await startBoth();
    if (path === 'injected') await vmcall('enable', 'test');
    guest.onTold = () => void bench.agent.child.kill('SIGKILL');
    await vmcall(path === 'vmcall' ? 'enable' : 'disable', 'test', '--no-wait');
    await bench.agent.exited;
    guest.onTold = () => {};
    await bench.startAgent();
    await bench.until(path === 'vmcall' ? onVmcall : onInjected);
  });

  test('on the path leaves the guest on it, and the next one finds it there', async () => {
    await startBoth();
    await vmcall('enable', 'test');
    await bench.agent.kill('SIGKILL');
    expect(await bench.switches()).toEqual(['1', '1']);
    await bench.startAgent();
    await bench.until(onVmcall);
    expect(guest.told).toEqual(['vmcall']);
  });

  test('by SIGTERM too, with exit code 0 and its socket gone', async () => {
    await startBoth();
    await vmcall('enable', 'test');
    bench.agent.child.kill('SIGTERM');
    expect(await bench.agent.exited).toEqual([0, null]);
    expect([guest.path, ...(await bench.switches())]).toEqual(['vmcall', '1', '1']);
    await expect(stat(bench.socket)).rejects.toThrow('ENOENT');
    const { exitCode, stderr } = await vmcall('status');
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/^HOST_AGENT_ABSENT: .*\n {2}Start it: systemctl start vmcall-host-agent/);
  });
});

describe('the way back to the desired path by itself', () => {
  beforeEach(async () => {
    await startBoth();
    await vmcall('enable', 'test');
  });

  test('after the session was lost', async () => {
    await guest.stop();
    await bench.until({ phase: 'blocked', reason: { code: 'GUEST_ABSENT' }, guest: null });
    expect(await bench.switches()).toEqual(['1', '1']);
    guest = await bench.startGuest();
    await bench.until(onVmcall);
    expect(guest.told).toEqual(['vmcall']);
  });

  test('after the guest or its dataplane began anew', async () => {
    guest.dataplane = 'waiting';
    guest.tell();
    await bench.until({ phase: 'blocked', reason: { code: 'DATAPLANE_OFF' }, actual: 'unknown' });
    guest.dataplane = 'running';
    guest.reboot();
    await bench.until(onVmcall);
    expect(guest.told).toContain('vmcall');
  });

  test('after the domain was started anew, in another process', async () => {
    await handle.destroy();
    await guest.stop();
    await bench.until({ domain: 'off', actual: 'off', phase: 'blocked', reason: { code: 'DOMAIN_OFF' } });
    await bench.startVm(4712);
    await handle.start();
    guest = await bench.startGuest();
    await bench.until(onVmcall);
    expect(await bench.switches()).toEqual(['1', '1']);
  });

  test('after the switches were thrown by hand', async () => {
    await writeFile(join(bench.kvm, 'vcpu_yield'), '0\n');
    await expect.poll(() => guest.told.length, { timeout: 10_000 }).toBeGreaterThan(1);
    await bench.until(onVmcall);
  });

  test('after the metadata was edited: another path, nonsense, nothing', async () => {
    await wish('injected');
    await bench.until(onInjected);
    expect(await bench.switches()).toEqual(['0', '0']);
    await wish('vmcall');
    await bench.until(onVmcall);
    await handle.setMetadata(metadataUri, 'other', "<desired path='fast'/>", 'live');
    const bad = await bench.until({ ...onInjected, desired_from: 'invalid' });
    expect(bad.problem).toContain('<desired path="fast"/>');
    expect((await vmcall('status', 'test')).stdout).toContain('BAD_METADATA: ');
    await bench.agent.logged('bad metadata');
    await wish('vmcall');
    await bench.until(onVmcall);
    await handle.setMetadata(metadataUri, metadataPrefix, null, 'live+config');
    await bench.until({ ...onInjected, desired_from: 'default' });
  });
});

describe('libvirtd', () => {
  test('killed: the last desired path is shown as such; started again: it is read again', async () => {
    await startBoth();
    await vmcall('enable', 'test');
    await libvirt.close();
    await libvirtd.stop();
    await bench.until({
      desired: 'vmcall',
      actual: 'vmcall',
      phase: 'blocked',
      reason: { code: 'LIBVIRT_LOST' },
    });
    const { exitCode, stderr } = await vmcall('disable', 'test');
    expect([exitCode, stderr]).toEqual([1, expect.stringContaining('LIBVIRT_UNREACHABLE')]);
    expect(await bench.switches()).toEqual(['1', '1']);
    await bench.agent.logged('libvirt cannot be reached');
    await connect(libvirtd.folder);
    // The test driver keeps nothing; libvirt's others do.
    await wish('vmcall');
    await bench.until(onVmcall);
  });
});

describe('vmcall status', () => {
  beforeEach(startBoth);

  test('shows what is, for people and as JSON', async () => {
    const { stdout } = await vmcall('status');
    expect(stdout).toMatch(
      /^DOMAIN +DESIRED +ACTUAL +VM CALLS +STATE\ntest +injected +injected +0 +reached$/,
    );
    const json = JSON.parse((await vmcall('status', 'test', '--json')).stdout);
    expect(json).toMatchObject({
      ...{ format: 'vmcall-status', version: 1, libvirt: { connected: true } },
      domains: [{ ...onInjected, name: 'test', uuid: domain.uuid, desired_from: 'default' }],
    });
  });

  test('--watch prints each change', async () => {
    const watch = execa(
      process.execPath,
      [join(projectRoot, 'dist/src/cli/main.js'), 'status', '--watch', '--socket', bench.socket],
      { reject: false },
    );
    let seen = '';
    watch.stdout?.on('data', (text: Buffer) => {
      seen += text;
    });
    await expect.poll(() => seen, { timeout: 10_000 }).toContain('test    injected');
    await wish('vmcall');
    await expect.poll(() => seen, { timeout: 10_000 }).toMatch(/test +vmcall +vmcall +\d+ +reached/);
    watch.kill();
    await watch;
  });

  test('names the libvirt, and refuses another', async () => {
    const uri = libvirtd.uri('test:///default');
    expect(await vmcall('status', '-c', uri)).toMatchObject({ exitCode: 0 });
    expect(await vmcall('status', '-c', 'qemu:///system')).toMatchObject({
      ...{ exitCode: 2, stderr: expect.stringContaining('OTHER_LIBVIRT') },
    });
    expect(await vmcall('status', 'nobody')).toMatchObject({
      ...{ exitCode: 2, stderr: expect.stringContaining('NO_DOMAIN') },
    });
  });
});

describe('vmcall check', () => {
  beforeEach(startBoth);
  const check = async (...words: string[]) => {
    const { stdout, exitCode, stderr } = await vmcall('check', ...words, '--json');
    return { exitCode, stderr, found: exitCode === 2 ? [] : JSON.parse(stdout).findings };
  };

  test.each(['test', '1', domain.uuid])('asks the live agent for the domain %s', async (called) => {
    const { found } = await check(called, '-c', libvirtd.uri('test:///default'));
    for (const code of ['libvirt', 'guest-agent', 'dataplane', 'path'])
      expect(found).toContainEqual(expect.objectContaining({ code, severity: 'ok' }));
    // A domain of libvirt's test driver has none.
    expect(found).toContainEqual(expect.objectContaining({ code: 'process', severity: 'fail' }));
  });

  test('says what the live agent knows to be wrong', async () => {
    guest.lies = true;
    await wish('vmcall');
    await bench.until({ phase: 'blocked', reason: { code: 'YIELDS_MISSING' } });
    const { found, exitCode } = await check('test');
    expect([0, 2]).not.toContain(exitCode);
    const read = expect.stringContaining('desired vmcall, actual unknown: YIELDS_MISSING');
    expect(found).toContainEqual(expect.objectContaining({ code: 'path', severity: 'fail', read }));
    await guest.stop();
    await bench.until({ guest: null });
    const code = 'guest-agent';
    expect((await check('test')).found).toContainEqual(expect.objectContaining({ code, severity: 'fail' }));
  });

  test('refuses a domain that the agent does not know, and another libvirt', async () => {
    expect(await check('nobody')).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining('NO_DOMAIN'),
    });
    expect(await check('test', '-c', 'qemu:///system')).toMatchObject({
      ...{ exitCode: 2, stderr: expect.stringContaining('OTHER_LIBVIRT') },
    });
  });
});

describe('vmcall enroll', () => {
  test.each(['test', '1', domain.uuid])('finds the domain %s through libvirt', async (called) => {
    const words = ['--host', '192.0.2.1', '--state', join(bench.folder, 'state')];
    const { stdout } = await vmcall('enroll', called, ...words, '-c', libvirtd.uri('test:///default'));
    expect(stdout).toContain(`domain = "${domain.uuid}"`);
  });

  test('says that there is no such domain', async () => {
    const { exitCode, stderr } = await vmcall(
      'enroll',
      'nobody',
      '--host',
      '192.0.2.1',
      '-c',
      'test:///default',
    );
    expect([exitCode, stderr]).toEqual([2, expect.stringContaining('NO_DOMAIN')]);
  });
});

describe('the control socket', () => {
  beforeEach(startBoth);

  function ask(method: string, path: string, body = ''): Promise<{ status: number; text: string }> {
    return new Promise((resolve, reject) => {
      const call = request({ socketPath: bench.socket, method, path }, (response) => {
        let text = '';
        response.on('data', (part: Buffer) => {
          text += part;
        });
        response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
      });
      call.on('error', reject);
      call.end(body);
    });
  }

  test('answers many clients of one process, one after the other and at once', async () => {
    const ask = () => bench.client.status();
    for (let i = 0; i < 100; i++) expect((await ask()).domains).toHaveLength(1);
    const all = await Promise.all(Array.from({ length: 100 }, ask));
    expect(all.every(({ domains }) => domains.length === 1)).toBe(true);
  });

  test('is asked again where the agent was killed between two questions', async () => {
    const { client } = bench;
    expect((await client.status()).domains).toHaveLength(1);
    await bench.agent.kill('SIGKILL');
    await bench.startAgent();
    await bench.agent.logged('"listening"');
    expect((await client.status()).format).toBe('vmcall-status');
  });

  test('is for root alone', async () => {
    expect((await stat(bench.socket)).mode & 0o777).toBe(0o600);
  });

  const desired = `/domains/${domain.uuid}/desired`;
  test.each([
    ['another resource', 'GET', '/secrets', '', 404],
    ['another method', 'DELETE', '/domains', '', 404],
    ['no such domain', 'GET', `/domains/${'0'.repeat(8)}-0000-0000-0000-${'0'.repeat(12)}`, '', 404],
    ['a path for a domain', 'GET', '/domains/..%2f..', '', 404],
    ['no JSON', 'PUT', desired, '{', 400],
    ['another path', 'PUT', desired, '{"path":"fast"}', 400],
    ['a member too many', 'PUT', desired, '{"path":"vmcall","more":1}', 400],
    ['a body too long', 'PUT', desired, ' '.repeat(5000), 400],
  ])('refuses %s', async (_what, method, path, body, status) => {
    const answer = await ask(method, path, body);
    expect(answer.status).toBe(status);
    expect(JSON.parse(answer.text)).toMatchObject({ code: expect.any(String), cure: expect.any(String) });
    await bench.until(onInjected);
  });

  test('is not taken from an agent that answers on it', async () => {
    const program = 'test/host-agent/support/agent-process.js';
    const second = Command.start([bench.file, bench.root], {}, program);
    expect(await second.exited).toEqual([1, null]);
    expect(second.said).toContain('CONTROL_IN_USE');
    await bench.until(onInjected);
  });
});

describe('the configuration', () => {
  test('with faults ends it with 3, and names file, key and value', async () => {
    await writeFile(bench.file, '[guests]\naddress = "here"\nport = 70000\n[libvirt]\nurl = "x"\n');
    const agent = Command.start(['host-agent', '--config', bench.file]);
    expect(await agent.exited).toEqual([3, null]);
    for (const line of ['guests.address = "here": ', 'guests.port = 70000: ', 'libvirt.url: no such key'])
      expect(agent.said).toContain(`${bench.file}: ${line}`);
  });

  test('is reloaded; one with faults changes nothing', async () => {
    await startBoth();
    // Once more, for the port of the first is in the file only now.
    await bench.agent.kill('SIGKILL');
    await bench.startAgent();
    await bench.until(onInjected);
    await vmcall('enable', 'test');
    await bench.configure({ reconciler: 'interval_s = "often"' });
    bench.agent.child.kill('SIGHUP');
    await bench.agent.logged('reconciler.interval_s = \\"often\\"');
    await bench.configure({ address: '192.0.2.1' });
    bench.agent.child.kill('SIGHUP');
    await bench.agent.logged('LISTEN_FAILED: guests.address 192.0.2.1');
    await bench.until(onVmcall);

    const moved = join(bench.folder, 'moved.sock');
    await bench.configure({ socket: moved, uri: 'test:///default' });
    bench.agent.child.kill('SIGHUP');
    await bench.agent.logged('configuration reloaded');
    // Another libvirt, which knows of no wish.
    await expect
      .poll(async () => (await vmcall('status', 'test', '--socket', moved, '-c', 'test:///default')).stdout, {
        timeout: 15_000,
      })
      .toMatch(/test +injected +injected/);
    expect(await bench.switches()).toEqual(['0', '0']);
    expect(guest.told).toEqual(['vmcall', 'injected']);
  });
});

describe('a domain that is not persistent, or does not run', () => {
  test('keeps the wish where it can', async () => {
    const xml = (await handle.xml({ inactive: true })).replaceAll(
      /<uuid>.*<\/uuid>|<name>test<\/name>/g,
      (found) => (found.startsWith('<name>') ? '<name>second</name>' : ''),
    );
    const second = await libvirt.defineDomain(xml);
    try {
      await bench.startAgent();
      await expect.poll(async () => (await vmcall('status', 'second')).exitCode, { timeout: 15_000 }).toBe(0);
      expect(await vmcall('enable', 'second')).toMatchObject({
        ...{ exitCode: 1, stderr: expect.stringContaining('DOMAIN_OFF') },
      });
      expect(await second.metadata(metadataUri, 'config')).toBe('<desired path="vmcall"/>');
      await second.start();
      await second.undefine();
      expect(await vmcall('disable', 'second', '--no-wait')).toMatchObject({ exitCode: 0 });
      expect(await second.metadata(metadataUri, 'live')).toBe('<desired path="injected"/>');
      await second.destroy();
      await expect.poll(async () => (await vmcall('status', 'second')).exitCode, { timeout: 15_000 }).toBe(2);
    } finally {
      await second.destroy().catch(() => {});
      await second.undefine().catch(() => {});
    }
  });
});
