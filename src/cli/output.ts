// SPDX-License-Identifier: Apache-2.0
import { writeFile } from 'node:fs/promises';
import { VmcallError } from '../support/errors.js';

/** Writes to the file a user named, or to stdout without one. Error: `FILE_UNWRITABLE`. */
export async function writeOutput(content: string | Uint8Array, file: string | undefined): Promise<void> {
  if (file === undefined) {
    process.stdout.write(content);
    return;
  }
  try {
    await writeFile(file, content);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new VmcallError(
      'FILE_UNWRITABLE',
      why,
      'Name a file in a folder that you may write to',
      undefined,
      {
        cause: error,
      },
    );
  }
}
