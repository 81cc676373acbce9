// SPDX-License-Identifier: Apache-2.0
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { here } from './build.js';

/**
 * Patches on top of a series: the lab's own, those that break it to see that its tests notice, and the one by which an
 * emulated Intel CPU posts interrupts as VT-d would.
 */
export type ExtraPatches = 'lab' | 'negative' | 'vmx';

/** The patches of `kernel-patches/SERIES`, or of a folder in it, in the order in which they apply. */
export async function patchesOf(series: string, extra: ExtraPatches | '' = ''): Promise<string[]> {
  const folder = here('kernel-patches', series, extra);
  const files = (await readdir(folder)).filter((file) => file.endsWith('.patch'));
  return files.sort().map((file) => join(folder, file));
}

/**
 * Those that change what a kernel is built from: one that changes only the documentation or the selftests is no
 * reason to build the modules once more.
 */
export async function patchesOfCode(series: string): Promise<string[]> {
  const patches = await patchesOf(series);
  const touches = await Promise.all(patches.map(async (patch) => changesCode(await readFile(patch, 'utf8'))));
  return patches.filter((_, index) => touches[index]);
}

/** If a patch changes any file outside `Documentation/` and `tools/`. */
export function changesCode(patch: string): boolean {
  const files = [...patch.matchAll(/^(?:---|\+\+\+) [ab]\/([^\t\n]+)/gm)].map(([, file = '']) => file);
  return files.some((file) => !/^(?:Documentation|tools)\//.test(file));
}
