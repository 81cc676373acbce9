// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { exitCodes, VmcallError } from '../support/errors.js';

/** Where those of the system are, whatever PATH says. */
const always = ['/usr/sbin', '/usr/bin', '/sbin', '/bin'];

/** The file of a program that the lab runs. @throws VmcallError SETUP_PROGRAM_ABSENT */
export function programPath(program: string): string {
  const folders = [...(process.env.PATH ?? '').split(delimiter).filter(Boolean), ...always];
  const path = folders.map((folder) => join(folder, program)).find((candidate) => existsSync(candidate));
  if (path) return path;
  throw new VmcallError(
    'SETUP_PROGRAM_ABSENT',
    `the lab needs the program ${program}, and this machine has none of that name`,
    `Look for its package: apt-cache search --names-only ${program}`,
    exitCodes.unsupported,
  );
}
