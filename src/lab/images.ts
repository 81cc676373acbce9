// SPDX-License-Identifier: Apache-2.0
import type { Stats } from 'node:fs';
import {
  copyFile,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  statfs,
  utimes,
} from 'node:fs/promises';
import { join } from 'node:path';
import { cacheRoot } from '../support/paths.js';
import { runFiles } from './machine.js';

/**
 * Machines saved at a stage at which they wait for an order, each in a folder named by the content of all that went into
 * it, with its consoles and events so far. They are made on the way, never tested, and may be removed at any time.
 */
const shelf = join(cacheRoot, 'machine-images');

/** What is kept of them at most; the longest unused goes first. */
const most = { images: 12, bytes: 5 * 2 ** 30 };
/** No image is made where the disk would have less than that left. */
const leastFree = 4 * 2 ** 30;

const memory = 'memory';
/** Of a run up to the stage, in the run's own folder too. */
const records = Object.values(runFiles);

export interface Image {
  folder: string;
  /** QEMU's own file of the machine. */
  memory: string;
  /** When it was made. */
  made: Date;
}

export async function findImage(key: string): Promise<Image | undefined> {
  const folder = join(shelf, key);
  try {
    const file = join(folder, memory);
    const { mtime } = await stat(file);
    const now = new Date();
    await utimes(folder, now, now);
    return { folder, memory: file, made: mtime };
  } catch {
    return undefined;
  }
}

/** A run that goes on with the image has what came before in its own folder. @returns the number of its events */
export async function copyRecords({ folder }: Image, run: string): Promise<number> {
  for (const name of records) await copyFile(join(folder, name), join(run, name));
  return (await readFile(join(run, runFiles.events), 'utf8')).split('\n').filter(Boolean).length;
}

/**
 * Keeps the machine of a run, which is paused while `save` writes it. Made aside and moved into place whole: of runs
 * that make the same at once, the first wins. @returns why there is none
 */
export async function keepImage(
  key: string,
  run: string,
  save: (file: string) => Promise<string | undefined>,
): Promise<string | undefined> {
  await mkdir(shelf, { recursive: true, mode: 0o700 });
  const { bavail, bsize } = await statfs(shelf);
  if (bavail * bsize < leastFree) return `less than ${leastFree / 2 ** 30} GiB are free at ${shelf}`;
  const aside = await mkdtemp(join(shelf, '.saving-'));
  try {
    const why = await save(join(aside, memory));
    if (why !== undefined) return why;
    for (const name of records) await copyFile(join(run, name), join(aside, name));
    await rename(aside, join(shelf, key)).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
    });
  } finally {
    await rm(aside, { recursive: true, force: true });
  }
  await forgetOld();
  return undefined;
}

export async function dropImage({ folder }: Image): Promise<void> {
  await rm(folder, { recursive: true, force: true });
}

/** Who has one open goes on reading it. */
async function forgetOld(): Promise<void> {
  const images = await Promise.all(
    (await readdir(shelf)).map(async (name) => {
      const folder = join(shelf, name);
      return {
        folder,
        bytes: await found(join(folder, memory), ({ size }) => size),
        used: await found(folder, ({ mtimeMs }) => mtimeMs),
      };
    }),
  );
  let bytes = 0;
  for (const [at, image] of images.sort((a, b) => b.used - a.used).entries()) {
    bytes += image.bytes;
    if (at >= most.images || bytes > most.bytes) await rm(image.folder, { recursive: true, force: true });
  }
}

/** Of a file that may not be there: another run may make and remove images meanwhile. */
const found = (path: string, what: (stats: Stats) => number): Promise<number> =>
  stat(path).then(what, () => 0);
