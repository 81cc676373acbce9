// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path';
import { exitCodes, VmcallError } from '../support/errors.js';
import { attempt, ImageRefused } from './attempt.js';
import { AttemptFailed } from './follow-run.js';
import type { FailedAttempt, LabRequest, LabRun } from './request.js';

const maximumRetries = 2;

/**
 * Runs a scenario in an L1 of its own; starts again, at most twice unless said otherwise, and says so, if the emulation
 * dies under it: then from nothing. An image that cannot be restored is no attempt: its host is booted instead.
 */
export async function runLab(request: LabRequest): Promise<LabRun> {
  const failures: FailedAttempt[] = [];
  let mayUseImages = request.fresh !== true;
  for (;;) {
    const folder = join(request.folder, `attempt-${failures.length + 1}`);
    try {
      return { clock: request.clock, ...(await attempt(request, folder, mayUseImages)), failures };
    } catch (error) {
      if (!(error instanceof AttemptFailed)) throw error;
      mayUseImages = false;
      if (error instanceof ImageRefused) {
        request.progress.step(`${error.message}: booting the host instead`);
        continue;
      }
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
