// SPDX-License-Identifier: Apache-2.0
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { beforeAll, describe, expect, test } from 'vitest';
import { resultSchema } from '../../../src/results/schema.js';
import { projectRoot } from '../../../src/support/paths.js';
import { buildProbe } from './build.js';

const command = join(projectRoot, 'dist', 'src', 'cli', 'main.js');
const unsupported = 4;

describe('vmcall-probe', () => {
  let probe: string;
  const run = (...words: string[]) => execa(probe, words, { reject: false });

  beforeAll(async () => {
    probe = await buildProbe();
  }, 120_000);

  test('needs no library', async () => {
    expect((await execa('ldd', [probe], { reject: false, all: true })).all).toContain(
      'not a dynamic executable',
    );
  });

  test('exits 2 on words that it does not know', async () => {
    for (const words of [
      ['--wakes', '0'],
      ['--cpu', 'x'],
      ['--cpu', '1000'],
      ['--clock', 'sun'],
      ['more'],
      ['--bad'],
    ])
      expect((await run(...words)).exitCode, words.join(' ')).toBe(2);
  });

  test('takes a CPU that it does not begin with, as an isolated one', async () => {
    const { exitCode } = await execa('taskset', ['-c', '0', probe, '--cpu', '1', '--wakes', '10'], {
      reject: false,
    });
    expect([0, unsupported]).toContain(exitCode);
  });

  test('prints a result document that compare and report read, or exits 4 with the reason', async () => {
    const { exitCode, stdout, stderr } = await run('--json', '--wakes', '200');
    if (exitCode !== 0) {
      expect(exitCode).toBe(unsupported);
      expect(stderr).toMatch(/^vmcall-probe: \S/);
      return;
    }
    const result = resultSchema.parse(JSON.parse(stdout));
    expect(result.paths.map(({ name }) => name)).toEqual(expect.arrayContaining(['injected', 'pv-kick']));
    const file = join(await mkdtemp(join(tmpdir(), 'vmcall-probe-')), 'probe.json');
    await writeFile(file, stdout);
    const compared = await execa('node', [command, 'compare', file, '--paths', 'injected,pv-kick']);
    expect(compared.stdout).toContain('pv-kick');
    await execa('node', [command, 'report', file, '--output', `${file}.html`]);
  }, 60_000);
});
