// SPDX-License-Identifier: Apache-2.0
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { programPath } from './program-path.js';

/** Those of QEMU's modules that the lab's machines have a use for; the others draw in sound and pictures. */
const modules = '/usr/lib/x86_64-linux-gnu/qemu';
const accelerator = /^accel-/;

const firmware = ['/usr/share/qemu', '/usr/share/seabios'];

/** QEMU as this machine has it: the program, its accelerators, and the firmware that it puts into machines. */
export function qemuFiles(): string[] {
  return [
    programPath('qemu-system-x86_64'),
    ...entriesOf(modules).filter((path) => accelerator.test(path.slice(modules.length + 1))),
    ...firmware.flatMap(entriesOf),
  ];
}

/** In a fixed order, without links that lead nowhere; none of a folder that this machine has not. */
function entriesOf(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .sort()
    .map((name) => join(folder, name))
    .filter((path) => existsSync(path));
}
