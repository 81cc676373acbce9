// SPDX-License-Identifier: Apache-2.0
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { comparisonSchema } from '../../src/comparison/schema.js';
import { resultSchema } from '../../src/results/schema.js';
import { projectRoot } from '../../src/support/paths.js';

const fixtures = join(projectRoot, 'test', 'results', 'fixtures');
const run = join(fixtures, 'run-v1.json');
const folder = mkdtempSync(join(tmpdir(), 'vmcall-cli-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function vmcall(...words: string[]) {
  const main = join(projectRoot, 'dist', 'src', 'cli', 'main.js');
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...words], { encoding: 'utf8' });
  return { status, stdout, stderr };
}

describe('vmcall on results', () => {
  test('compare prints a verdict, or with --json a document and nothing else', () => {
    expect(vmcall('compare', run)).toMatchObject({
      status: 0,
      stdout: expect.stringMatching(/^vmcall is faster than injected/),
    });
    const document = comparisonSchema.parse(JSON.parse(vmcall('compare', run, '--json').stdout));
    expect(document.pairs[0]?.differences[0]?.verdict).toBe('faster');
  });

  test('import and export hand over to each other by file', () => {
    const imported = join(folder, 'imported.json');
    const from = join(fixtures, 'cyclictest.json');
    expect(vmcall('import', '--format', 'cyclictest', from, '--output', imported).status).toBe(0);
    resultSchema.parse(JSON.parse(readFileSync(imported, 'utf8')));
    expect(vmcall('export', '--format', 'csv', imported).stdout).toMatch(/^path,latency_ns/);
    expect(vmcall('compare', run, imported)).toMatchObject({
      status: 1,
      stdout: '',
      stderr: expect.stringMatching(/^COMPARE_UNLIKE.*--force/s),
    });
  });

  test('report writes one page, of four runs at most', () => {
    const page = join(folder, 'report.html');
    expect(vmcall('report', run, '--output', page).status).toBe(0);
    expect(readFileSync(page, 'utf8')).toMatch(/^<!doctype html>/);
    expect(vmcall('report', run, run, run, run, run).status).toBe(2);
  });

  test.each([
    [2, ['compare', run, '--paths', 'one']],
    [2, ['import', '--format', 'xml', run]],
    [2, ['export', run]],
    [2, ['export', '--format', 'hgrm', run]],
    [1, ['compare', join(fixtures, 'absent.json')]],
    [1, ['export', '--format', 'hgrm', '--path', 'absent', run]],
    [1, ['import', '--format', 'hdr-log', run]],
    [1, ['report', run, '--output', join(folder, 'no', 'such', 'folder')]],
  ])('ends with %i on bad use, nothing on stdout', (status, words) => {
    expect(vmcall(...words)).toMatchObject({ status, stdout: '' });
  });
});
