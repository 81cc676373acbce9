// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { here, makeIn, workFolder } from '../../src/setup/build.js';

let folder: string;

beforeAll(async () => {
  folder = join(await mkdtemp(join(tmpdir(), 'vmcall-white-space-')), "a user's cache");
  await mkdir(folder);
});

afterAll(async () => {
  vi.unstubAllEnvs();
  await rm(join(folder, '..'), { recursive: true });
});

test('make builds into a folder with a space in its name', async () => {
  await makeIn(here('src', 'generator'), folder);
  expect(execFileSync(join(folder, 'vmcall-generator'), ['--help'], { encoding: 'utf8' })).toContain(
    'vmcall-generator --interface',
  );
});

test('work that takes no white space has none in its path', async () => {
  vi.stubEnv('TMPDIR', folder);
  const work = await workFolder('test');
  expect(work).not.toMatch(/\s/);
  await rm(work, { recursive: true });
});

test("the emulated host's shell takes each path as one word", async () => {
  vi.stubEnv('XDG_CACHE_HOME', folder);
  vi.resetModules();
  const { startScript } = await import('../../src/lab/request-orders.js');
  const lines = startScript(join(folder, 'programs')).split('\n');
  // Never the script itself: it ends by switching the machine off.
  const words = (command: string) =>
    execFileSync('sh', ['-c', `printf '%s\\n' ${command}`], { encoding: 'utf8' })
      .split('\n')
      .filter(Boolean);
  const cache = lines.find((line) => line.startsWith('export XDG_CACHE_HOME='));
  expect(words(cache?.replace('export ', '') ?? '')).toEqual([`XDG_CACHE_HOME=${folder}`]);
  const program = lines.find((line) => line.includes('lab-host.js'));
  expect(words(program ?? '')).toEqual([process.execPath, join(folder, 'programs', 'lab-host.js')]);
});
