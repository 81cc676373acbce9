// SPDX-License-Identifier: Apache-2.0

/** Exit codes of every `vmcall` command. */
export const exitCodes = { ok: 0, failed: 1, usage: 2, configuration: 3, unsupported: 4 } as const;

/** An error a user can act on: what was wrong, and its cure. `code` is stable and may be matched on. */
export class VmcallError extends Error {
  override readonly name = 'VmcallError';

  constructor(
    readonly code: string,
    message: string,
    readonly cure: string,
    readonly exitCode: number = exitCodes.failed,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** The text a person sees: code, message, cure. */
export function describeError(error: unknown): string {
  if (error instanceof VmcallError) return `${error.code}: ${error.message}\n  ${error.cure}`;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
