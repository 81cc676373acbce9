// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path';
import { exitCodes, VmcallError } from '../support/errors.js';
import type { Progress } from '../support/progress.js';
import { kernelDefect, unexpectedLines } from './kernel-log.js';
import { runFiles } from './machine.js';

/**
 * What L1's kernel warned of: nothing is measured on one that found itself wrong.
 * @throws VmcallError LAB_KERNEL_DEFECT
 */
export function judgeKernelLog(lines: readonly string[], run: string, progress: Progress): void {
  const unexpected = unexpectedLines(lines);
  const defect = unexpected.findIndex((line) => kernelDefect.test(line));
  if (defect >= 0)
    throw new VmcallError(
      'LAB_KERNEL_DEFECT',
      `the emulated host's kernel says: ${unexpected.slice(Math.max(0, defect - 1), defect + 2).join(' | ')}`,
      `See all of it in ${join(run, runFiles.events)}, at "kernel-log"`,
      exitCodes.failed,
    );
  for (const line of unexpected) progress.step(`the emulated host's kernel warns: ${line}`);
}
