// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rename, rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { cacheRoot } from './paths.js';

/** What a cached artifact is made from: files (by content) and plain values. */
export interface Ingredients {
  files: readonly string[];
  values: readonly string[];
}

/** How many versions of one artifact are kept, and how long the others; the longest unused go when a new one is built. */
export interface Keep {
  versions: number;
  /** Since its last use, ms. */
  others: number;
}
const day = 86_400_000;
const usualKeep: Keep = { versions: 4, others: day };

/** The SHA-256 over names and contents of `files` (folders are walked) and over `values`. */
export async function contentKey({ files, values }: Ingredients): Promise<string> {
  const hash = createHash('sha256');
  for (const value of values) hash.update(`value\0${value}\0`);
  for (const file of files) await hashInto(hash, file, '');
  return hash.digest('hex').slice(0, 20);
}

async function hashInto(hash: ReturnType<typeof createHash>, path: string, name: string): Promise<void> {
  if ((await stat(path)).isDirectory()) {
    for (const entry of (await readdir(path)).sort())
      await hashInto(hash, join(path, entry), `${name}/${entry}`);
    return;
  }
  hash.update(`file\0${name}\0`);
  hash.update(await readFile(path));
}

/**
 * The folder of an artifact, built by `build` only if no run has built it from the same ingredients before.
 * Built aside and moved into place whole, so a run that dies leaves nothing half-made and two runs may build
 * at once: the first to finish wins.
 */
export async function cached(
  name: string,
  ingredients: Ingredients,
  build: (folder: string) => Promise<void>,
  keep = usualKeep,
): Promise<string> {
  const shelf = join(cacheRoot, name);
  const folder = join(shelf, await contentKey(ingredients));
  if (existsSync(folder)) {
    const now = new Date();
    // For forgetOldVersions() only: in the lab the cache is read-only.
    await utimes(folder, now, now).catch(() => {});
    return folder;
  }
  await mkdir(shelf, { recursive: true });
  const aside = await mkdtemp(join(shelf, '.building-'));
  try {
    await build(aside);
    await rename(aside, folder).catch(async (error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
    });
  } finally {
    await rm(aside, { recursive: true, force: true });
  }
  await forgetOldVersions(shelf, folder, keep);
  return folder;
}

async function forgetOldVersions(shelf: string, current: string, keep: Keep): Promise<void> {
  const now = Date.now();
  const versions = await Promise.all(
    (await readdir(shelf)).map(async (entry) => {
      const path = join(shelf, entry);
      return { path, aside: entry.startsWith('.building-'), used: (await stat(path)).mtimeMs };
    }),
  );
  const finished = versions.filter((v) => !v.aside && v.path !== current).sort((a, b) => b.used - a.used);
  const others = finished.slice(keep.versions - 1).filter((v) => v.used < now - keep.others);
  const leftovers = versions.filter((v) => v.aside && v.used < now - day);
  for (const { path } of [...others, ...leftovers]) await rm(path, { recursive: true, force: true });
}
