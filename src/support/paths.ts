// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';

function findProjectRoot(from: string): string {
  for (let folder = from; ; folder = dirname(folder)) {
    if (existsSync(join(folder, 'kernel-patches')) && existsSync(join(folder, 'package.json'))) return folder;
    if (folder === dirname(folder)) throw new Error(`no project root above ${from}`);
  }
}

/** The checkout this code runs from. */
export const projectRoot = findProjectRoot(import.meta.dirname);

/** libvirt for Node.js, built beforehand (host-agent/native). */
export const libvirtAddon = join(projectRoot, 'dist', 'libvirt.node');

/** Where built modules, images and downloads are kept, as the XDG base directory specification has it. */
export const cacheRoot = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'vmcall');

/** Where results go unless told otherwise, as the XDG base directory specification has it. */
export const resultsRoot = join(
  process.env.XDG_STATE_HOME || join(homedir(), '.local', 'state'),
  'vmcall',
  'results',
);
