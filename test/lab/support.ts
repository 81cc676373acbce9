// SPDX-License-Identifier: Apache-2.0
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

/** Command lines of all processes that mention `folder`: the lab's own, and its emulators. */
export function processesOf(folder: string): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .map((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
      } catch {
        return '';
      }
    })
    .filter((command) => command.includes(folder));
}

/** The contents of all files of that name below a folder. */
export function filesOf(folder: string, name: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith(name))
    .map((file) => readFileSync(join(folder, file), 'utf8'));
}

export async function until(what: string, condition: () => boolean, timeout: number): Promise<void> {
  for (const start = Date.now(); !condition(); await delay(250))
    if (Date.now() - start > timeout) throw new Error(`no ${what} in ${timeout / 1000} s`);
}
