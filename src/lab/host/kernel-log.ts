// SPDX-License-Identifier: Apache-2.0
import { run } from './commands.js';

/** Lines of this host's kernel at level warning or above, oldest first. */
export async function kernelLog(): Promise<string[]> {
  const log = await run('dmesg', '--level', 'emerg,alert,crit,err,warn');
  return log.split('\n').filter(Boolean);
}
