// SPDX-License-Identifier: Apache-2.0
// `vmcall run` through a live host agent, on a guest agent with the dataplane's stand-in, and what of it survives faults.
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { beforeEach, describe, expect, test } from 'vitest';
import { metadataPrefix, metadataUri } from '../../host-agent/libvirt/metadata.js';
import { parseResult } from '../../src/results/migrate.js';
import type { Result } from '../../src/results/schema.js';
import { projectRoot } from '../../src/support/paths.js';
import { domain } from './support/host-bench.js';
import { onInjected, RealHost } from './support/test-host.js';

const host = new RealHost();
let output: string;
beforeEach(() => {
  output = join(host.bench.folder, 'results');
});

function run(...words: string[]) {
  const all = ['run', ...words, '--socket', host.bench.socket];
  const where = words.includes('--output') ? [] : ['--output', output];
  return execa(process.execPath, [join(projectRoot, 'dist/src/cli/main.js'), ...all, ...where], {
    reject: false,
  });
}

/** Resolves when a report of the run's own measurement has come, as it says. */
const reported = (running: ReturnType<typeof run>) =>
  new Promise<void>((resolve) => {
    running.stderr.on('data', (text) => {
      if (String(text).includes('in this second')) resolve();
    });
  });

const resultOf = (text: string): Result => parseResult(JSON.parse(text), 'stdout');
async function saved(): Promise<Result[]> {
  const folders = await readdir(output).catch(() => []);
  const texts = folders.map((folder) => readFile(join(output, folder, 'result.json'), 'utf8'));
  return (await Promise.all(texts)).map(resultOf);
}

const slow = { timeout: 240_000 };

describe('vmcall run', () => {
  test('switches to each path, measures it, goes back, and keeps a document that says so', slow, async () => {
    const { stdout, exitCode, stderr } = await run(
      ...['1', '--paths', 'injected,vmcall', '--seconds', '2', '--rounds', '2', '--json'],
    );
    expect([exitCode, stderr]).toEqual([0, expect.any(String)]);
    const result = resultOf(stdout);
    expect(result).toMatchObject({
      quantity: 'wake-latency',
      platform: { domain: domain.name, uuid: domain.uuid },
      paths: [{ name: 'vmcall', lost: 0 }],
    });
    const [vmcall] = result.paths;
    // One wake each 350 us, for four seconds.
    expect(vmcall?.received).toBeGreaterThan(8_000);
    expect(vmcall?.rounds).toHaveLength(2);
    // Counters and histogram are asked for one after the other, while packets go on.
    expect(Math.abs((vmcall?.dataplane.rx ?? 0) - (vmcall?.received ?? 0))).toBeLessThan(1_000);
    expect(vmcall?.latency_ns.min).toBeGreaterThanOrEqual(7_500);
    expect(result.notes.join()).toContain('No wake was timed on injected');
    expect(result.partial).toBeUndefined();
    // Of a machine without RAPL, which is most, it says so and has no figure.
    if (result.energy) expect(result.energy.during.map(({ of }) => of)).toEqual(['injected', 'vmcall']);
    else expect(result.notes.join()).toContain('Energy was not measured: ');
    expect(result.timeline?.marks.map(({ text }) => text)).toEqual([
      'injected to vmcall',
      'vmcall to injected',
      'injected to vmcall',
    ]);
    expect(await saved()).toEqual([result]);
    await host.bench.until({ ...onInjected, desired_from: 'default' });
  });

  test('keeps the domain to itself: no second run, no enable', slow, async () => {
    const first = run('1', '--paths', 'vmcall', '--seconds', '60', '--rounds', '1', '--json');
    await host.bench.until({ actual: 'vmcall' });
    for (const words of [
      ['1', '--seconds', '1'],
      ['1', '--paths', 'injected', '--seconds', '1'],
    ])
      expect(await run(...words)).toMatchObject({
        exitCode: 1,
        stdout: '',
        stderr: expect.stringMatching(/DOMAIN_LEASED: vmcall run, process \d+/),
      });
    expect(await host.vmcall('disable', '1')).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('DOMAIN_LEASED'),
    });
    // It goes on: a report comes after all of these, of which each tenth of the run is told.
    await reported(first);
    first.kill('SIGINT');
    const { exitCode, stdout } = await first;
    expect(exitCode).toBe(130);
    expect(resultOf(stdout).paths[0]?.received).toBeGreaterThan(0);
    await host.bench.until({ ...onInjected, desired_from: 'default' });
    expect(await host.vmcall('enable', '1')).toMatchObject({ exitCode: 0 });
    expect(await host.vmcall('forget', '1')).toMatchObject({ exitCode: 0, stdout: 'test: injected' });
    await host.bench.until({ ...onInjected, desired_from: 'default' });
  });

  test('goes on to its end while others come and go who watch by top', slow, async () => {
    const words = ['1', '--paths', 'vmcall', '--seconds', '5', '--rounds', '2', '--json'];
    const running = run(...words);
    await reported(running);
    for (let watcher = 0; watcher < 3; watcher++) {
      const { stdout, exitCode } = await host.vmcall('top', '--json', '-n', '1');
      expect([exitCode, JSON.parse(stdout).domains[0]]).toMatchObject([0, { actual: 'vmcall' }]);
    }
    const { exitCode, stdout } = await running;
    expect(exitCode).toBe(0);
    const result = resultOf(stdout);
    expect(result.partial).toBeUndefined();
    expect(result.paths).toMatchObject([{ name: 'vmcall', lost: 0 }]);
    expect(result.paths[0]?.rounds).toHaveLength(2);
    // One wake each 350 us: no second of the ten is missing.
    expect(result.timeline?.points.length).toBeGreaterThanOrEqual(10);
  });

  test('puts a guest that polls by its own configuration back on polling', slow, async () => {
    await host.realGuest.stop();
    await host.startGuestAgent({ path: 'poll' });
    const polls = { desired: 'injected', desired_from: 'default', actual: 'poll' };
    await host.bench.until(polls);
    const words = ['1', '--paths', 'vmcall', '--seconds', '1', '--rounds', '1'];
    expect(await run(...words)).toMatchObject({ exitCode: 0 });
    await host.bench.until(polls);
  });

  test.each(['SIGKILL', 'SIGTERM'] as const)(
    'killed by %s it leaves the domain as it was',
    slow,
    async (signal) => {
      await host.handle.setMetadata(metadataUri, metadataPrefix, "<desired path='poll' by='me'/>", 'live');
      await host.handle.setMetadata(metadataUri, metadataPrefix, "<desired path='poll'/>", 'config');
      const both = () =>
        Promise.all([host.handle.metadata(metadataUri, 'live'), host.handle.metadata(metadataUri, 'config')]);
      const before = await both();
      const running = run('1', '--paths', 'vmcall', '--seconds', '60');
      await host.bench.until({ actual: 'vmcall' });
      running.kill(signal);
      await running;
      await expect.poll(both, { timeout: 20_000 }).toEqual(before);
    },
  );

  test('says so if the agent is gone, and the next agent puts the domain back', slow, async () => {
    const running = run('1', '--paths', 'vmcall', '--seconds', '60');
    await host.bench.until({ actual: 'vmcall' });
    host.bench.agent.child.kill('SIGKILL');
    expect(await running).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('NOT_PUT_BACK') });
    await host.bench.startAgent();
    await host.bench.until({ ...onInjected, desired_from: 'default' });
  });

  test('without --paths measures the path there is, by name, and switches nothing', slow, async () => {
    const { stdout, exitCode } = await run(domain.name, '--seconds', '1', '--rounds', '1');
    // A domain of libvirt's test driver has no NIC whose interrupts could be timed.
    expect([exitCode, stdout]).toEqual([1, expect.stringMatching(/No wake was timed on injected: \w+: /)]);
    expect((await host.bench.until({})).desired_from).toBe('default');
  });

  test.each([
    ['no such domain', ['nobody'], 2, 'NO_DOMAIN'],
    ['another libvirt', ['1', '-c', 'qemu:///system'], 2, 'OTHER_LIBVIRT'],
    ['no such path', ['1', '--paths', 'poll'], 2, 'wanted injected, pv-kick, vmcall'],
  ])('refuses %s', async (_what, words, code, text) => {
    const { exitCode, stderr } = await run(...words);
    expect([exitCode, stderr]).toEqual([code, expect.stringContaining(text)]);
  });
});

describe('what was measured survives', () => {
  const partOfMinute = expect.toSatisfy((done: number) => done > 0 && done < 1);
  const long = () => run('1', '--paths', 'vmcall', '--seconds', '60', '--rounds', '1');

  test.each([
    ['the host agent, by kill -9', () => host.bench.agent.child.kill('SIGKILL'), /host agent/],
    [
      'the guest agent, by kill -9',
      () => host.realGuest.agent.child.kill('SIGKILL'),
      /the session was lost with 1006/,
    ],
    [
      'the dataplane, by kill -9',
      () => process.kill(host.realGuest.dataplanePid ?? 0, 'SIGKILL'),
      /DATAPLANE_RESTARTED/,
    ],
  ])('the end of %s: it is saved, marked partial, exit code 1', slow, async (_what, kill, why) => {
    const running = long();
    await reported(running);
    kill();
    const { exitCode, stderr } = await running;
    expect([exitCode, stderr]).toEqual([1, expect.any(String)]);
    const [result] = await saved();
    expect(result?.paths[0]?.received).toBeGreaterThan(0);
    expect(result?.partial).toMatchObject({ why: expect.stringMatching(why), done: partOfMinute });
  });

  test.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('%s: it is saved, marked partial, and the domain goes back', slow, async (signal, code) => {
    const running = long();
    await reported(running);
    running.kill(signal);
    const { exitCode, stdout } = await running;
    expect([exitCode, stdout]).toEqual([code, expect.stringMatching(/^PARTIAL: ended by /)]);
    const [result] = await saved();
    expect(result?.paths[0]?.received).toBeGreaterThan(0);
    expect(result?.partial).toEqual({ why: `ended by ${signal}`, done: partOfMinute });
    await host.bench.until({ desired: 'injected', actual: 'injected', phase: 'reached' });
  });

  test(
    'a full disk under the results: it is on stdout, and what was there before is untouched',
    slow,
    async () => {
      const full = join(host.bench.folder, 'full');
      await mkdir(full);
      await execa('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', full]);
      try {
        await writeFile(join(full, 'before.json'), 'as it was');
        // Leaves room for a folder, and none for a document.
        await writeFile(join(full, 'filler'), Buffer.alloc(65_536)).catch(() => {});
        const words = ['1', '--paths', 'vmcall', '--seconds', '1', '--output', full];
        const { exitCode, stdout, stderr } = await run(...words);
        expect([exitCode, stderr]).toEqual([1, expect.stringMatching(/RESULT_UNSAVED: .*ENOSPC/)]);
        expect(resultOf(stdout).paths[0]?.received).toBeGreaterThan(1_000);
        expect(await readFile(join(full, 'before.json'), 'utf8')).toBe('as it was');
        const left = await readdir(full, { recursive: true });
        expect(left.filter((name) => name.endsWith('.json') || name.endsWith('.new'))).toEqual([
          'before.json',
        ]);
      } finally {
        await execa('umount', [full]);
      }
    },
  );
});
