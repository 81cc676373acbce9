// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path';
import { exitCodes, VmcallError } from '../support/errors.js';
import { attempt } from './attempt.js';
import { AttemptFailed } from './observe.js';
import type { FailedAttempt, LabRequest, LabRun } from './request.js';

const maximumRetries = 2;
/**
 * Runs a scenario in an L1 of its own; starts again, at most twice unless said otherwise, and says so, if the emulation
 * dies under it: then from nothing.
 */
export async function runLab(request: LabRequest): Promise<LabRun> {
  const failures: FailedAttempt[] = [];
  for (;;) {
    const folder = join(request.folder, `attempt-${failures.length + 1}`);
    try {
      const mayUseImages = request.fresh !== true && failures.length === 0;
      return { clock: request.clock, ...(await attempt(request, folder, mayUseImages)), failures };
    } catch (error) {
      if (!(error instanceof AttemptFailed)) throw error;
      failures.push({ why: error.message, folder });
      request.progress.step(`attempt ${failures.length} failed: ${error.message}`);
      if (failures.length > (request.retries ?? maximumRetries))
        throw new VmcallError(
          'LAB_FAILED',
          `the lab failed ${failures.length} times; the last time: ${error.message}`,
          `The consoles are in ${request.folder}`,
          exitCodes.failed,
        );
    }
  }
}
