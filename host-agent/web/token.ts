// SPDX-License-Identifier: Apache-2.0
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createFile } from '../../src/support/atomic-file.js';
import { exitCodes, VmcallError } from '../../src/support/errors.js';
import { issueSecret } from '../enrolment/secret.js';

/** The file that holds what a browser must show to watch. */
export const tokenFile = (stateFolder: string) => join(stateFolder, 'observer-token');

/**
 * The observers' token: 256 random bits as 43 characters of base64url, made at the first call, for root alone.
 * @throws VmcallError TOKEN_FAILED
 */
export async function observerToken(stateFolder: string): Promise<string> {
  const file = tokenFile(stateFolder);
  try {
    await mkdir(stateFolder, { recursive: true, mode: 0o700 });
    await createFile(file, `${issueSecret()}\n`, 0o600);
    const token = (await readFile(file, 'utf8')).trim();
    if (/^[A-Za-z0-9_-]{43}$/.test(token)) return token;
    throw new Error('it holds no token of 43 characters of base64url');
  } catch (error) {
    throw new VmcallError(
      'TOKEN_FAILED',
      `${file} cannot be read or made: ${(error as Error).message}`,
      'Run this as root; remove the file to have a new one made',
      exitCodes.configuration,
      { cause: error },
    );
  }
}
