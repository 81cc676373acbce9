// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { build } from 'rolldown';
import { contentKey } from '../support/cache.js';
import { here } from './build.js';

/** What is bundled: the command as it is installed, and what the lab runs in L1. */
const programs = {
  vmcall: here('dist', 'src', 'cli', 'main.js'),
  'lab-host': here('dist', 'src', 'lab', 'host', 'main.js'),
} as const;

/** How many are kept: another run may use the one before. */
const bundlesKept = 3;

/**
 * The compiled programs, each with all that it imports in a few files: in the emulated host and its guest, opening some
 * six hundred of them costs half a minute. Below `dist`, for the programs look for the project around them.
 * @returns the folder with `vmcall.js` and `lab-host.js`
 */
export async function bundlePrograms(): Promise<string> {
  const files = ['src', 'host-agent', 'guest-agent'].map((folder) => here('dist', folder));
  const key = await contentKey({ files: [...files, here('package-lock.json')], values: [] });
  const shelf = here('dist', 'bundle');
  const folder = join(shelf, key);
  if (existsSync(folder)) return folder;
  await mkdir(shelf, { recursive: true });
  const aside = await mkdtemp(join(shelf, '.building-'));
  try {
    const output = { dir: aside, format: 'esm', minify: true } as const;
    await build({ input: programs, platform: 'node', logLevel: 'silent', output });
    await rename(aside, folder).catch((error: NodeJS.ErrnoException) => {
      // Another run was first.
      if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
    });
  } finally {
    await rm(aside, { recursive: true, force: true });
  }
  await forgetOldBundles(shelf);
  return folder;
}

async function forgetOldBundles(shelf: string): Promise<void> {
  const bundles = await Promise.all(
    (await readdir(shelf)).map(async (name) => ({ name, made: (await stat(join(shelf, name))).mtimeMs })),
  );
  const old = bundles.sort((a, b) => b.made - a.made).slice(bundlesKept);
  for (const { name } of old) await rm(join(shelf, name), { recursive: true, force: true });
}
