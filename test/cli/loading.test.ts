// SPDX-License-Identifier: Apache-2.0
// A verb is loaded when it is asked for, and no more than it stands on: seen by Node's own hook for loading modules.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { projectRoot } from '../../src/support/paths.js';

const dataUrl = (text: string) => `data:text/javascript,${encodeURIComponent(text)}`;
const hook = dataUrl(`
  import { writeSync } from 'node:fs';
  export async function load(url, context, next) {
    writeSync(2, 'loads ' + url + '\\n');
    return next(url, context);
  }`);
const preload = dataUrl(`import { register } from 'node:module'; register(${JSON.stringify(hook)});`);

/** Files of `dist` and packages of `node_modules` that a run of the installed command loads. */
async function loadedBy(...words: string[]): Promise<string[]> {
  const main = join(projectRoot, 'dist', 'src', 'cli', 'main.js');
  const { stderr, exitCode } = await execa(process.execPath, ['--import', preload, main, ...words], {
    reject: false,
  });
  expect(exitCode, stderr).toBe(0);
  return [...stderr.matchAll(/^loads (file:.*)$/gm)].map(([, url = '']) =>
    relative(join(projectRoot, 'dist'), fileURLToPath(url)),
  );
}

const run = join(projectRoot, 'test', 'results', 'fixtures', 'run-v2.json');
const cyclictest = join(projectRoot, 'test', 'results', 'imports', 'cyclictest.json');

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'vmcall-loading-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

test('the help loads no verb and no validation', async () => {
  const loaded = await loadedBy('--help');
  expect(loaded.filter((file) => file.startsWith('src/cli/')).sort()).toEqual([
    'src/cli/main.js',
    'src/cli/program.js',
    'src/cli/verbs.js',
  ]);
  expect(loaded.filter((file) => file.includes('node_modules') && !file.includes('/commander/'))).toEqual([]);
});

test.each([
  ['compare', [run, '--paths', 'injected,vmcall']],
  ['export', ['--format', 'csv', run]],
  ['import', ['--format', 'cyclictest', cyclictest]],
  ['report', [run, '--output', 'report.html']],
])('%s loads neither daemon, tuning nor addon', async (verb, words) => {
  const here = words.map((word) => (word === 'report.html' ? join(folder, word) : word));
  const loaded = await loadedBy(verb, ...here);
  expect(loaded).toContain(`src/cli/${verb}.js`);
  expect(loaded.filter((file) => /^(host-agent|guest-agent)\//.test(file))).toEqual([]);
});

test('the guest agent loads nothing of the host, nor of results', async () => {
  const loaded = await loadedBy('guest-agent', '--help');
  expect(loaded).toContain('guest-agent/agent.js');
  expect(loaded.filter((file) => /^(host-agent|src\/(results|control|top))\//.test(file))).toEqual([]);
});
