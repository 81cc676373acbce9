// SPDX-License-Identifier: Apache-2.0
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { VmcallError } from '../support/errors.js';
import { parseResult } from './migrate.js';
import type { Result } from './schema.js';

const largestFile = 256 * 2 ** 20;

/** The text of a file a user named, up to 256 MiB. Errors: `FILE_UNREADABLE`, `FILE_TOO_LARGE`. */
export async function readInput(file: string): Promise<string> {
  try {
    const { size } = await stat(file);
    if (size > largestFile)
      throw new VmcallError(
        'FILE_TOO_LARGE',
        `${file} has ${size} bytes; up to ${largestFile} are read`,
        'Give a smaller file, or split it',
      );
    return await readFile(file, 'utf8');
  } catch (error) {
    if (error instanceof VmcallError) throw error;
    const why = error instanceof Error ? error.message : String(error);
    throw new VmcallError('FILE_UNREADABLE', why, 'Check the name and that you may read it', undefined, {
      cause: error,
    });
  }
}

/** Where a run's document is: in the file itself, or in the folder's `result.json`. */
export async function resultFile(run: string): Promise<string> {
  const isFolder = await stat(run).then(
    (found) => found.isDirectory(),
    () => false,
  );
  return isFolder ? join(run, 'result.json') : run;
}

/** A run's result document: a file, or a folder with a `result.json`. Of any version. */
export async function readResult(run: string): Promise<Result> {
  const file = await resultFile(run);
  const text = await readInput(file);
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch (error) {
    throw new VmcallError(
      'RESULT_INVALID',
      `${file} is not JSON: ${error instanceof Error ? error.message : error}`,
      "Give a result.json that 'vmcall lab' or 'vmcall import' wrote, or a folder that holds one",
    );
  }
  return parseResult(document, file);
}
