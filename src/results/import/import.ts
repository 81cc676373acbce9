// SPDX-License-Identifier: Apache-2.0
import { type Result, resultSchema } from '../schema.js';
import { importCyclictest } from './cyclictest.js';
import type { ImportOptions } from './document.js';
import { importHdrLog } from './hdr-log.js';

const importers = { cyclictest: importCyclictest, 'hdr-log': importHdrLog } as const;
export type ImportFormat = keyof typeof importers;
export const importFormats = Object.keys(importers) as ImportFormat[];

/** Another tool's file as a result document. Errors: `IMPORT_FAILED`, `HISTOGRAM_BROKEN`. */
export function importResult(format: ImportFormat, text: string, options: ImportOptions): Result {
  return resultSchema.parse(importers[format](text, options));
}
