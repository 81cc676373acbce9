// SPDX-License-Identifier: Apache-2.0
import { type ErrorCode, errorCodes } from '../protocol/codes.js';
import type { Path } from '../protocol/fields.js';
import type { ErrorMessage } from '../protocol/messages.js';

/** A request that failed, on either side of the wire. `code` is one of PROTOCOL.md. */
export class RequestError extends Error {
  override readonly name = 'RequestError';

  constructor(
    readonly code: ErrorCode,
    message: string = errorCodes[code],
    /** Of PATH_REFUSED: the dataplane's own code, and the path in force. */
    readonly refusal?: { reason: string; path: Path },
  ) {
    super(message);
  }

  static fromMessage({ code, message, reason, path }: ErrorMessage): RequestError {
    return new RequestError(
      code,
      message,
      reason === undefined || path === undefined ? undefined : { reason, path },
    );
  }
}
