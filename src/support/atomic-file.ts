// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from 'node:crypto';
import { link, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';

async function writeAside(path: string, content: string | Uint8Array, mode: number): Promise<string> {
  const aside = `${path}.${randomBytes(6).toString('hex')}.new`;
  const file = await open(aside, 'wx', mode);
  try {
    await file.writeFile(content);
    await file.sync();
  } catch (error) {
    // A disk that is full must not be left fuller.
    await rm(aside, { force: true });
    throw error;
  } finally {
    await file.close();
  }
  return aside;
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(dirname(path), 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/** Is there a place, and room, for such a file? Leaves none. Rejects as replaceFile() would. */
export async function tryReplacing(path: string, bytes: number): Promise<void> {
  await rm(await writeAside(path, new Uint8Array(bytes), 0o600), { force: true });
}

/** Replaces a file whole: after a crash there is the old one or the new one, never a part. */
export async function replaceFile(path: string, content: string | Uint8Array, mode: number): Promise<void> {
  const aside = await writeAside(path, content, mode);
  try {
    await rename(aside, path);
  } catch (error) {
    await rm(aside, { force: true });
    throw error;
  }
  await syncFolder(path);
}

/** Makes a file whole unless there is one; false if another was there first. */
export async function createFile(path: string, text: string, mode: number): Promise<boolean> {
  const aside = await writeAside(path, text, mode);
  try {
    await link(aside, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  } finally {
    await rm(aside, { force: true });
  }
  await syncFolder(path);
  return true;
}
