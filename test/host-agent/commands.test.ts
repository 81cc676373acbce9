// SPDX-License-Identifier: Apache-2.0
// What the command line reads from a live host agent.
import { lstat, mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { beforeEach, describe, expect, test } from 'vitest';
import { type Kept, keep } from '../../host-agent/tuning/upkeep/kept.js';
import { projectRoot } from '../../src/support/paths.js';
import { domain } from './support/host-bench.js';
import { onInjected, TestHost } from './support/test-host.js';

const host = new TestHost();

describe('vmcall status', () => {
  beforeEach(() => host.startBoth());

  test('shows what is, for people and as JSON', async () => {
    const { stdout } = await host.vmcall('status');
    expect(stdout).toMatch(
      /^DOMAIN +DESIRED +ACTUAL +VM CALLS +STATE\ntest +injected +injected +0 +reached$/,
    );
    const json = JSON.parse((await host.vmcall('status', 'test', '--json')).stdout);
    expect(json).toMatchObject({
      format: 'vmcall-status',
      version: 1,
      libvirt: { connected: true },
      domains: [{ ...onInjected, name: 'test', uuid: domain.uuid, desired_from: 'default' }],
    });
  });

  test('says what of its tuning is kept, and why it is not', async () => {
    const request: Kept = {
      format: 'vmcall-tuning-kept',
      version: 1,
      made: '2026-11-29T08:00:00.000Z',
      domain: domain,
      connect: null,
      pins: [],
      nics: [],
      cpus: [],
      max_exit_latency_us: null,
      hardirq: true,
    };
    // The domain's QEMU has not started yet.
    await rm(join(host.bench.root, 'proc/4711'), { recursive: true });
    keep(host.bench.tuning, request);
    await expect
      .poll(async () => (await host.vmcall('status')).stdout, { timeout: 20_000 })
      .toContain('  tuning kept since 2026-11-29T08:00:00.000Z; reapplied: 0');
    // It begins, and has no NIC: nothing is set until that is known.
    const proc = join(host.bench.root, 'proc/4711');
    await mkdir(join(proc, 'task'), { recursive: true });
    await mkdir(join(host.bench.root, 'sys/devices/system/cpu'), { recursive: true });
    await writeFile(join(host.bench.root, 'sys/devices/system/cpu/online'), '0-3\n');
    await writeFile(join(proc, 'cmdline'), `/usr/bin/kvm\0-name\0test\0-uuid\0${domain.uuid}\0`);
    await writeFile(join(proc, 'comm'), 'kvm\n');
    await writeFile(join(proc, 'status'), 'Cpus_allowed_list:\t0-3\n');
    await writeFile(join(proc, 'stat'), `4711 (kvm) S 1${' 0'.repeat(48)}\n`);
    await expect
      .poll(async () => (await host.vmcall('status')).stdout, { timeout: 40_000 })
      .toMatch(/vcpu-not-pinned: tuning is not kept: no vCPU of test is pinned/);
    const { tuning } = JSON.parse((await host.vmcall('status', 'test', '--json')).stdout).domains[0];
    expect(tuning).toMatchObject({ set_again: 0, problem: { code: 'vcpu-not-pinned' } });
  }, 90_000);

  test('--watch prints each change', async () => {
    const watch = execa(
      process.execPath,
      [join(projectRoot, 'dist/src/cli/main.js'), 'status', '--watch', '--socket', host.bench.socket],
      { reject: false },
    );
    let seen = '';
    watch.stdout?.on('data', (text: Buffer) => {
      seen += text;
    });
    await expect.poll(() => seen, { timeout: 10_000 }).toContain('test    injected');
    await host.desire('vmcall');
    await expect.poll(() => seen, { timeout: 10_000 }).toMatch(/test +vmcall +vmcall +\d+ +reached/);
    watch.kill();
    await watch;
  });

  test('names the libvirt, and refuses another', async () => {
    const uri = host.uri;
    expect(await host.vmcall('status', '-c', uri)).toMatchObject({ exitCode: 0 });
    expect(await host.vmcall('status', '-c', 'qemu:///system')).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining('OTHER_LIBVIRT'),
    });
    expect(await host.vmcall('status', 'nobody')).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining('NO_DOMAIN'),
    });
  });
});

describe('vmcall check', () => {
  beforeEach(() => host.startBoth());
  const check = async (...words: string[]) => {
    const { stdout, exitCode, stderr } = await host.vmcall('check', ...words, '--json');
    return { exitCode, stderr, found: exitCode === 2 ? [] : JSON.parse(stdout).findings };
  };

  test.each(['test', '1', domain.uuid])('asks the live agent for the domain %s', async (called) => {
    const { found } = await check(called, '-c', host.uri);
    for (const code of ['libvirt', 'guest-agent', 'dataplane', 'path'])
      expect(found).toContainEqual(expect.objectContaining({ code, severity: 'ok' }));
    // A domain of libvirt's test driver has none.
    expect(found).toContainEqual(expect.objectContaining({ code: 'process', severity: 'fail' }));
  });

  test('says what the live agent knows to be wrong', async () => {
    host.guest.lies = true;
    await host.desire('vmcall');
    await host.bench.until({ phase: 'blocked', reason: { code: 'YIELDS_MISSING' } });
    const { found, exitCode } = await check('test');
    expect([0, 2]).not.toContain(exitCode);
    const read = expect.stringContaining('desired vmcall, actual unknown: YIELDS_MISSING');
    expect(found).toContainEqual(expect.objectContaining({ code: 'path', severity: 'fail', read }));
    await host.guest.stop();
    await host.bench.until({ guest: null });
    const code = 'guest-agent';
    expect((await check('test')).found).toContainEqual(expect.objectContaining({ code, severity: 'fail' }));
  });

  test('refuses a domain that the agent does not know, and another libvirt', async () => {
    expect(await check('nobody')).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining('NO_DOMAIN'),
    });
    expect(await check('test', '-c', 'qemu:///system')).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining('OTHER_LIBVIRT'),
    });
  });
});

describe('vmcall enroll, of the live agent', () => {
  beforeEach(() => host.startBoth());

  test('issues, lists, rotates and revokes', { timeout: 90_000 }, async () => {
    const socket = ['--socket', host.bench.socket];
    const output = join(host.bench.folder, 'guest-agent.toml');
    const nobody = '00000000-0000-4000-8000-000000000000';
    expect(await host.vmcall('enroll', nobody, ...socket)).toMatchObject({
      exitCode: 2,
      stdout: '',
      stderr: expect.stringContaining('NO_DOMAIN'),
    });
    // The guest that is connected holds on to its session while its secret is the previous one.
    const rotated = await host.vmcall('rotate', 'test', '--overlap', '1', '--output', output);
    expect(rotated).toMatchObject({
      exitCode: 0,
      stdout: '',
      stderr: expect.stringContaining(host.bench.guestUrl.href),
    });
    const text = await readFile(output, 'utf8');
    expect((await stat(output)).mode & 0o777).toBe(0o600);
    expect(text).toContain(`domain = "${domain.uuid}"`);
    expect(text).toContain(`url = "${host.bench.guestUrl.href}"`);
    const { stdout } = await host.vmcall('enroll', '--list', '--json', ...socket);
    expect(JSON.parse(stdout)).toMatchObject({
      domains: [{ uuid: domain.uuid, name: 'test', session: true, previous_until: expect.any(String) }],
    });
    expect(stdout).not.toContain(/secret = "([^"]+)"/.exec(text)?.[1]);
    await host.bench.until({ guest: { health: { dataplane: 'running' } } });
    expect(await host.vmcall('revoke', 'test')).toMatchObject({ exitCode: 0 });
    await host.bench.until({ guest: null });
    expect((await host.vmcall('enroll', '--list', ...socket)).stdout).toBe('Nobody is enrolled.');
    expect(await host.vmcall('revoke', 'test')).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('NOT_ENROLLED'),
    });
  });
});

describe('what vmcall enroll writes', () => {
  const enroll = (...words: string[]) =>
    host.vmcall('enroll', 'test', ...words, '--socket', host.bench.socket);

  test('where it cannot, nothing is issued: the guest keeps its session', { timeout: 90_000 }, async () => {
    await host.startBoth();
    const before = await host.bench.client.enrolments();
    const full = join(host.bench.folder, 'full');
    await mkdir(full);
    await execa('mount', ['-t', 'tmpfs', '-o', 'size=4k', 'tmpfs', full]);
    try {
      await writeFile(join(full, 'filler'), Buffer.alloc(65_536)).catch(() => {});
      for (const output of [
        join(host.bench.folder, 'none', 'x.toml'),
        host.bench.folder,
        join(full, 'x.toml'),
      ])
        expect(await enroll('--output', output)).toMatchObject({
          exitCode: 1,
          stdout: '',
          stderr: expect.stringMatching(/^FILE_UNWRITABLE: /),
        });
    } finally {
      await execa('umount', [full]);
    }
    for (const address of ['0.0.0.0', '::', '[::]:8645', 'a:0', 'a:70000', 'a b', 'wss://a', ''])
      expect(await enroll('--host', address)).toMatchObject({ exitCode: 2, stdout: '' });
    expect(await host.bench.client.enrolments()).toEqual(before);
    // A pipe is written to, and what leads to it is not replaced.
    const words = ['enroll', 'test', '--host', '[fe80::1%eth0]:99', '--output', '/dev/stdout', '--socket'];
    const main = join(projectRoot, 'dist/src/cli/main.js');
    const command = [process.execPath, main, ...words, host.bench.socket];
    const { stdout } = await execa('bash', ['-c', '"$@" | cat', 'bash', ...command]);
    expect(stdout).toContain('wss://[fe80::1%eth0]:99/guest');
    expect((await lstat('/dev/stdout')).isSymbolicLink()).toBe(true);
  });

  test('is for root alone, whatever the mode of the file before it', { timeout: 90_000 }, async () => {
    await host.startBoth();
    const output = join(host.bench.folder, 'guest-agent.toml');
    await writeFile(output, 'before', { mode: 0o644 });
    expect(await enroll('--output', output)).toMatchObject({ exitCode: 0, stdout: '' });
    expect((await stat(output)).mode & 0o777).toBe(0o600);
    expect(await readFile(output, 'utf8')).toContain('secret = ');
  });
});

describe('vmcall enroll', () => {
  test.each(['test', '1', domain.uuid])('finds the domain %s through libvirt', async (called) => {
    const words = ['--host', '192.0.2.1', '--state', join(host.bench.folder, 'state')];
    const { stdout } = await host.vmcall('enroll', called, ...words, '-c', host.uri);
    expect(stdout).toContain(`domain = "${domain.uuid}"`);
  });

  test('says that there is no such domain', async () => {
    const words = ['--host', '192.0.2.1', '--state', host.bench.folder, '-c', 'test:///default'];
    const { exitCode, stderr } = await host.vmcall('enroll', 'nobody', ...words);
    expect([exitCode, stderr]).toEqual([2, expect.stringContaining('NO_DOMAIN')]);
  });
});
