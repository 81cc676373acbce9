// SPDX-License-Identifier: Apache-2.0
import { existsSync, readFileSync } from 'node:fs';

/** Whether this kernel's lock validator is at work (linux: kernel/locking/lockdep_proc.c); null: it has none. */
export function lockdepRuns(): boolean | null {
  const file = '/proc/lockdep_stats';
  return existsSync(file) ? /^\s*debug_locks:\s+1$/m.test(readFileSync(file, 'utf8')) : null;
}
