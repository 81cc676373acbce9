// SPDX-License-Identifier: Apache-2.0
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
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
    const from = join(projectRoot, 'test', 'results', 'imports', 'cyclictest.json');
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

  test.each([['report'], ['export', '--format', 'csv']])(
    '%s leaves the file it was to replace as it was if the disk is full',
    (...words) => {
      const kept = join(folder, 'kept');
      writeFileSync(kept, 'as it was');
      // As on a full disk, writing ends early with an error: Node.js ignores SIGXFSZ.
      const main = join(projectRoot, 'dist', 'src', 'cli', 'main.js');
      const command = ['-c', 'ulimit -f 1; exec "$0" "$@"', process.execPath, main, ...words, run];
      const { status, stderr } = spawnSync('bash', [...command, '--output', kept], { encoding: 'utf8' });
      expect({ status, stderr }).toEqual({ status: 1, stderr: expect.stringMatching(/^FILE_UNWRITABLE/) });
      expect(readFileSync(kept, 'utf8')).toBe('as it was');
      expect(readdirSync(folder).filter((name) => name.startsWith('kept.'))).toEqual([]);
    },
  );

  test('none replaces the run that it is made of, by any name', () => {
    const own = join(folder, 'own');
    mkdirSync(own);
    copyFileSync(run, join(own, 'result.json'));
    symlinkSync(join(own, 'result.json'), join(folder, 'link'));
    for (const output of [join(own, 'result.json'), join(folder, 'link')])
      expect(vmcall('report', own, '--output', output)).toMatchObject({
        status: 1,
        stderr: expect.stringMatching(/^OUTPUT_IS_INPUT/),
      });
    expect(readFileSync(join(own, 'result.json'))).toEqual(readFileSync(run));
  });

  test('an output keeps its mode, and a pipe is written to', () => {
    const kept = join(folder, 'mode');
    writeFileSync(kept, '');
    chmodSync(kept, 0o640);
    expect(vmcall('export', '--format', 'csv', run, '--output', kept).status).toBe(0);
    expect(statSync(kept).mode & 0o777).toBe(0o640);
    const main = join(projectRoot, 'dist', 'src', 'cli', 'main.js');
    const piped = `"$0" ${main} export --format csv ${run} --output /dev/stdout | head -1`;
    expect(spawnSync('bash', ['-c', piped, process.execPath], { encoding: 'utf8' }).stdout).toMatch(/^path,/);
  });

  test('no document that cannot be is compared', () => {
    const wrong = join(folder, 'wrong.json');
    writeFileSync(wrong, readFileSync(run, 'utf8').replace(/"max": \d+/, '"max": 1'));
    expect(vmcall('compare', wrong)).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(/^RESULT_INVALID.*do not ascend/s),
    });
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
