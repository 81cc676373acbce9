// SPDX-License-Identifier: Apache-2.0
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { replaceFile } from '../support/atomic-file.js';
import { VmcallError } from '../support/errors.js';

/**
 * Writes a result document whole, or not at all: what was in the folder before stays as it is. Where it cannot be
 * written (a full disk, say) it goes to `elsewhere`, so that what was measured is not lost.
 * @throws VmcallError RESULT_UNSAVED, after that
 */
export async function saveResult(
  file: string,
  document: string,
  elsewhere: (document: string) => void,
): Promise<void> {
  try {
    await mkdir(dirname(file), { recursive: true });
    await replaceFile(file, document, 0o644);
  } catch (error) {
    elsewhere(document);
    throw new VmcallError(
      'RESULT_UNSAVED',
      `${file} cannot be written: ${(error as Error).message}`,
      'The document is on stdout. Make room, or name another folder by --output',
      undefined,
      { cause: error },
    );
  }
}
