// SPDX-License-Identifier: Apache-2.0
import { z } from 'zod';
import { type Result, resultSchema } from '../schema.js';
import { importCyclictest } from './cyclictest.js';
import { cannotImport, type ImportOptions } from './document.js';
import { importHdrLog } from './hdr-log.js';
import { importMoongen } from './moongen.js';
import { importOslat } from './oslat.js';
import { importTrex } from './trex.js';

const importers = {
  cyclictest: importCyclictest,
  oslat: importOslat,
  'hdr-log': importHdrLog,
  moongen: importMoongen,
  trex: importTrex,
} as const;
export type ImportFormat = keyof typeof importers;
export const importFormats = Object.keys(importers) as ImportFormat[];

/** Another tool's file as a result document. Error: `IMPORT_FAILED`. */
export function importResult(format: ImportFormat, text: string, options: ImportOptions): Result {
  const result = resultSchema.safeParse(importers[format](text, options));
  if (result.success) return result.data;
  throw cannotImport(
    options.source,
    `what it says makes no result document: ${z.prettifyError(result.error).slice(0, 500)}`,
    'Give the file as the tool wrote it, or a shorter run',
  );
}
