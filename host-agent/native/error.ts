// SPDX-License-Identifier: Apache-2.0
import { VmcallError } from '../../src/support/errors.js';

/** The virErrorNumber values the host agent tells apart; libvirt never changes one. */
export const errorNumber = {
  noSupport: 3,
  noConnect: 5,
  invalidArgument: 8,
  operationDenied: 29,
  systemError: 38,
  rpc: 39,
  noDomain: 42,
  authFailed: 45,
  operationInvalid: 55,
  configUnsupported: 67,
  noDomainMetadata: 80,
} as const;

/** A libvirt error, whole (libvirt/virterror.h). */
export class LibvirtError extends Error {
  override readonly name = 'LibvirtError';

  constructor(
    message: string,
    /** virErrorNumber: what went wrong. */
    readonly code: number,
    /** virErrorDomain: the part of libvirt it went wrong in. */
    readonly domain: number,
    /** virErrorLevel: 1 a warning, 2 an error. */
    readonly level: number,
  ) {
    super(message);
  }
}

const cures = new Map([
  ['LIBVIRT_CLOSED', 'Open the connection and look the domain up again'],
  ['LIBVIRT_TOO_MANY_CALLS', 'Wait for calls to end before making more; libvirtd may be stuck'],
]);

/**
 * The result of a call of the addon. A libvirt error becomes a LibvirtError and one of the addon itself a
 * VmcallError, with the stack of the caller; a TypeError for an argument stays what it is.
 */
export async function result<T>(call: () => T | Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    throw translated(error);
  }
}

function translated(error: unknown): unknown {
  if (!(error instanceof Error) || !('code' in error)) return error;
  const { code, message } = error;
  if (typeof code === 'number' && 'domain' in error && 'level' in error)
    return new LibvirtError(message, code, Number(error.domain), Number(error.level));
  const cure = typeof code === 'string' ? cures.get(code) : undefined;
  return cure ? new VmcallError(String(code), message, cure) : error;
}
