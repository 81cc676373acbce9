// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs';
import { readText, run } from './commands.js';

/** Lines of this host's kernel at level warning or above, oldest first. */
export async function kernelLog(): Promise<string[]> {
  const log = await run('dmesg', '--level', 'emerg,alert,crit,err,warn');
  return log.split('\n').filter(Boolean);
}

/** Whether the kernel's lock validator is at work (linux: kernel/locking/lockdep_proc.c); null: it has none. */
export function lockdepRuns(): boolean | null {
  const file = '/proc/lockdep_stats';
  return existsSync(file) ? /^\s*debug_locks:\s+1$/m.test(readText(file)) : null;
}
