// SPDX-License-Identifier: Apache-2.0
import type { Stats } from 'node:fs';
import { realpath, stat, writeFile } from 'node:fs/promises';
import { replaceFile, tryReplacing } from '../support/atomic-file.js';
import { VmcallError } from '../support/errors.js';

/**
 * Writes to the file a user named, whole or not at all: what it held is kept until then. Without a file, to stdout.
 * `inputs` are the files it was made of, none of which it may replace. `mode`, of the file, is otherwise that of the one
 * before, or the usual one. Errors: `FILE_UNWRITABLE`, `OUTPUT_IS_INPUT`.
 */
export async function writeOutput(
  content: string | Uint8Array,
  file: string | undefined,
  inputs: readonly string[] = [],
  mode?: number,
): Promise<void> {
  if (file === undefined) {
    process.stdout.write(content);
    return;
  }
  const present = await stat(file).catch(() => undefined);
  if (present) await refuseInputs(file, present, inputs);
  try {
    // A pipe or a device is written to; there is nothing in it to keep.
    if (present && !present.isFile()) await writeFile(file, content);
    else if (present) await replaceFile(await realpath(file), content, mode ?? present.mode & 0o777);
    else await replaceFile(file, content, mode ?? 0o666 & ~process.umask());
  } catch (error) {
    throw unwritable(file, error);
  }
}

/** Could so much be written there? For what is made once alone, before it is made. Error: `FILE_UNWRITABLE`. */
export async function checkOutput(file: string | undefined, bytes: number): Promise<void> {
  if (file === undefined) return;
  const present = await stat(file).catch(() => undefined);
  if (present?.isFIFO() || present?.isCharacterDevice()) return;
  try {
    if (present && !present.isFile()) throw new Error('it is neither a file nor a pipe');
    await tryReplacing(present ? await realpath(file) : file, bytes);
  } catch (error) {
    throw unwritable(file, error);
  }
}

function unwritable(file: string, cause: unknown): VmcallError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new VmcallError(
    'FILE_UNWRITABLE',
    `${file} cannot be written, and is as it was: ${why}`,
    'Name a file in a folder that you may write to, with room',
    undefined,
    { cause },
  );
}

async function refuseInputs(file: string, target: Stats, inputs: readonly string[]): Promise<void> {
  for (const input of inputs) {
    const found = await stat(input).catch(() => undefined);
    if (found?.dev === target.dev && found.ino === target.ino)
      throw new VmcallError(
        'OUTPUT_IS_INPUT',
        `${file} is what this would be made of`,
        'Name another file with --output',
      );
  }
}
