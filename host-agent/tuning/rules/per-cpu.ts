// SPDX-License-Identifier: Apache-2.0
import type { Host } from '../../host/host.js';

/** CPUs by what a file of each says, `{}` in its path being the CPU's number; those without it are left out. */
export function byValue(host: Host, cpus: readonly number[], path: string): Map<string, number[]> {
  const found = new Map<string, number[]>();
  for (const cpu of cpus) {
    const value = host.read(path.replace('{}', String(cpu)));
    if (value !== null) found.set(value, [...(found.get(value) ?? []), cpu]);
  }
  return found;
}
