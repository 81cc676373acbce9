// SPDX-License-Identifier: Apache-2.0
import { RequestError } from '../../src/session/request-error.js';
import { describeError, VmcallError } from '../../src/support/errors.js';
import type { Reason } from './decide.js';

/** Why a step failed, for status and log. */
export function whatFailed(error: unknown): Reason {
  if (error instanceof RequestError) {
    const { code, message, refusal } = error;
    return { code, message: refusal ? `the guest refused (${refusal.reason}): ${message}` : message };
  }
  if (error instanceof VmcallError) return { code: error.code, message: error.message };
  return { code: 'INTERNAL', message: describeError(error).slice(0, 2000) };
}
