// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rename, rm, stat, utimes } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { build } from 'rolldown';
import { z } from 'zod';
import { replaceFile } from '../support/atomic-file.js';
import { contentKey } from '../support/cache.js';
import { here } from './build.js';

/** What is bundled: the command as it is installed, and what the lab runs in L1. */
const programs = {
  vmcall: here('dist', 'src', 'cli', 'main.js'),
  'lab-host': here('dist', 'src', 'lab', 'host', 'main.js'),
} as const;

/** How many are kept: another run may use the one before. */
const bundlesKept = 3;

/** Below `dist`, for the programs look for the project around them. */
const shelf = here('dist', 'bundle');
/** What the last bundle was made from, and its folder's name. */
const lastFile = join(shelf, 'last.json');
const lastSchema = z.strictObject({ from: z.string(), name: z.string().regex(/^[0-9a-f]+$/) });

/**
 * The compiled programs, each with all that it imports in a few files: in the emulated host and its guest, opening some
 * six hundred of them costs half a minute. Named by their own content, which is part of the saved machines: most changes
 * of what is compiled change nothing of them.
 * @returns the folder with `vmcall.js` and `lab-host.js`
 */
export async function bundlePrograms(): Promise<string> {
  const files = ['src', 'host-agent', 'guest-agent'].map((folder) => here('dist', folder));
  const from = await contentKey({ files: [...files, here('package-lock.json')], values: [] });
  const last = await lastBundle();
  if (last?.from === from && existsSync(join(shelf, last.name))) return join(shelf, last.name);
  await mkdir(shelf, { recursive: true });
  const aside = await mkdtemp(join(shelf, '.building-'));
  try {
    const output = { dir: aside, format: 'esm', minify: true } as const;
    await build({ input: programs, platform: 'node', logLevel: 'silent', output });
    const name = await contentKey({ files: [aside], values: [] });
    const folder = join(shelf, name);
    await rename(aside, folder).catch(async (error: NodeJS.ErrnoException) => {
      // It was made before, or another run was first.
      if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
      await utimes(folder, new Date(), new Date());
    });
    await replaceFile(lastFile, `${JSON.stringify({ from, name })}\n`, 0o644);
    await forgetOldBundles();
    return folder;
  } finally {
    await rm(aside, { recursive: true, force: true });
  }
}

async function lastBundle(): Promise<z.infer<typeof lastSchema> | undefined> {
  try {
    return lastSchema.parse(JSON.parse(await readFile(lastFile, 'utf8')));
  } catch {
    return undefined;
  }
}

async function forgetOldBundles(): Promise<void> {
  const names = (await readdir(shelf)).filter((name) => name !== basename(lastFile));
  const bundles = await Promise.all(
    names.map(async (name) => ({ name, made: await madeAt(join(shelf, name)) })),
  );
  const old = bundles.sort((a, b) => b.made - a.made).slice(bundlesKept);
  for (const { name } of old) await rm(join(shelf, name), { recursive: true, force: true });
}

/** ms; 0 of what another run has moved or removed meanwhile. */
const madeAt = (path: string): Promise<number> =>
  stat(path).then(
    ({ mtimeMs }) => mtimeMs,
    () => 0,
  );
