// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Command } from 'commander';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { cstatesCommand } from '../../../src/cli/cstates.js';
import { tuneCommand } from '../../../src/cli/tune.js';
import { recordedHost, systemAt, unpack } from './recorded-host.js';
import { snapshot } from './snapshot.js';

let folder: string;
let root: string;
let state: string[];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'vmcall-cli-'));
  root = join(folder, 'host');
  state = ['--state', join(folder, 'state')];
  unpack(recordedHost('xeon-rt'), root);
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
  process.exitCode = undefined;
});

async function run(command: Command, ...words: string[]) {
  const out: string[] = [];
  const err: string[] = [];
  const spies = [
    vi.spyOn(process.stdout, 'write').mockImplementation((text) => out.push(String(text)) > 0),
    vi.spyOn(process.stderr, 'write').mockImplementation((text) => err.push(String(text)) > 0),
  ];
  process.exitCode = undefined;
  try {
    await command.parseAsync(words, { from: 'user' });
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
  return { out: out.join(''), err: err.join(''), exitCode: process.exitCode ?? 0 };
}
const tune = (...words: string[]) =>
  run(
    tuneCommand(() => systemAt(root)),
    ...words,
  );

describe('vmcall tune', () => {
  test('plan and apply --dry-run say the same and change nothing', async () => {
    const before = snapshot(root);
    const plan = JSON.parse((await tune('plan', 'dpdk0', '--json')).out);
    const dry = JSON.parse((await tune('apply', 'dpdk0', '--dry-run', '--json', ...state)).out);
    expect(plan.differences).toHaveLength(8);
    for (const { why, source } of plan.differences) expect([why, source]).not.toContain('');
    expect(dry).toEqual(plan);
    expect(snapshot(root)).toEqual(before);
  });

  test('apply, apply, restore, by name, UUID and process id', async () => {
    const before = snapshot(root);
    expect(JSON.parse((await tune('apply', 'dpdk0', '--json', ...state)).out).changed).toHaveLength(8);
    const uuid = 'b2a0f9f6-54a1-4c9d-8a55-0f6c2f1d7e10';
    expect(await tune('apply', uuid, ...state)).toEqual({ out: 'Nothing changed.\n', err: '', exitCode: 0 });
    expect((await tune('plan', '2000')).out).toBe('Nothing to change.\n');
    expect((await tune('restore', ...state)).exitCode).toBe(0);
    expect(snapshot(root)).toEqual(before);
  });

  test('restore exits 1 and names on stderr what it left', async () => {
    await tune('apply', 'dpdk0', ...state);
    systemAt(root).host.write('/sys/module/kvm/parameters/halt_poll_ns', '9');
    const { err, exitCode } = await tune('restore', ...state);
    expect(exitCode).toBe(1);
    expect(err).toContain('TUNING_CHANGED_SINCE: halt-poll');
    expect((await tune('restore', '--force', ...state)).exitCode).toBe(0);
  });

  test.each([
    [['plan']],
    [['plan', 'dpdk0', '--cpu', '3']],
    [['plan', '--cpu', '3', '--pin', '1=3']],
    [['apply', 'nosuch']],
  ])('%j is a usage error', async (words) => {
    await expect(tune(...words)).rejects.toMatchObject({ exitCode: 2 });
  });

  test.each([
    [['--pin', '1:5']],
    [['--pin', 'x=5']],
    [['--nic', '81:00.0']],
    [['--nic', '0000:81:00.0=no']],
    [['--cpu', '3-1']],
    [['--max-exit-latency', '-1']],
  ])('%j is refused as an argument', async (words) => {
    const command = tuneCommand(() => systemAt(root));
    await expect(run(command, 'plan', 'dpdk0', ...words)).rejects.toMatchObject({
      code: 'commander.invalidArgument',
    });
  });
});

describe('vmcall cstates', () => {
  const cstates = (...words: string[]) =>
    run(
      cstatesCommand(() => systemAt(root)),
      '--cpu',
      '6',
      ...state,
      ...words,
    );
  const latency = { min: 9000, avg: 14_000, p50: 1, p90: 1, p99: 1, p999: 1, max: 21_000 };
  const result = {
    sent: 1,
    received: 1,
    lost: 0,
    duplicate: 0,
    late: 0,
    reordered: 0,
    rtt_ns: latency,
    warmup: 0,
    histogram: '',
    pattern: 'constant',
    seed: 1,
  };

  test('measures with a command that prints what the generator prints', async () => {
    const { out } = await cstates('--json', '--', 'echo', JSON.stringify(result));
    const table = JSON.parse(out);
    expect(table).toMatchObject({ format: 'vmcall-cstates', cpu: 6, driver: 'intel_idle' });
    expect(table.rows).toHaveLength(5);
    expect(table.rows[0].latency_ns).toEqual({ min: 9000, avg: 14_000, max: 21_000 });
  });

  test.each([['false'], ['echo'], ['/nonexistent']])(
    'fails with %s, and restores the limit',
    async (command) => {
      const before = snapshot(root);
      await expect(cstates('--', command)).rejects.toMatchObject({ code: 'MEASURING' });
      expect(snapshot(root)).toEqual(before);
    },
  );
});
