// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';

/** The clone, or where the packages put it, is the folder whose package.json has this project's name. */
function findProjectRoot(from: string): string {
  for (let folder = from; ; folder = dirname(folder)) {
    if (isProject(join(folder, 'package.json'))) return folder;
    if (folder === dirname(folder)) throw new Error(`no package.json of vmcall above ${from}`);
  }
}

function isProject(file: string): boolean {
  try {
    return (JSON.parse(readFileSync(file, 'utf8')) as { name?: unknown }).name === 'vmcall';
  } catch {
    return false;
  }
}

/** What this code runs from: a clone, or /usr/lib/vmcall. */
export const projectRoot = findProjectRoot(import.meta.dirname);

/** libvirt for Node.js, built beforehand (host-agent/native). */
export const libvirtAddon = join(projectRoot, 'dist', 'libvirt.node');

/** Where built modules, images and downloads are kept, as the XDG base directory specification has it. */
export const cacheRoot = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'vmcall');

/** Where results go by default, as the XDG base directory specification has it. */
export const resultsRoot = join(
  process.env.XDG_STATE_HOME || join(homedir(), '.local', 'state'),
  'vmcall',
  'results',
);
