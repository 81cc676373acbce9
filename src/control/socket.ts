// SPDX-License-Identifier: Apache-2.0
import { accessSync, constants } from 'node:fs';
import { readOnlySocket } from './schema.js';

/** The control socket, or, for a user who may not use it, that for readers where that is allowed. */
export function usableSocket(socket: string): string {
  const readOnly = readOnlySocket(socket);
  return !isOpen(socket) && isOpen(readOnly) ? readOnly : socket;
}

function isOpen(socket: string): boolean {
  try {
    accessSync(socket, constants.R_OK | constants.W_OK);
    return true;
  } catch {
    return false;
  }
}
