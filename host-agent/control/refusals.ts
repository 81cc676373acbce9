// SPDX-License-Identifier: Apache-2.0
import { type Refusal, refusalSchema } from '../../src/control/schema.js';
import { describeError, VmcallError } from '../../src/support/errors.js';
import type { Log } from '../../src/support/log.js';

/** HTTP status by the code of the error; 500 for all others. */
const statuses = new Map([
  ['CONTROL_READ_ONLY', 403],
  ['DOMAIN_LEASED', 409],
  ['LEASE_OVER', 409],
  ['CONTROL_NOT_FOUND', 404],
  ['CONTROL_BAD_REQUEST', 400],
  ['NO_DOMAIN', 404],
  ['LIBVIRT_UNREACHABLE', 503],
]);

export const statusOf = ({ code }: Refusal): number => statuses.get(code) ?? 500;

/** An error as a document for who asked; what is none of ours is a defect, and logged. */
export function refuse(error: unknown, log: Log): Refusal {
  if (!(error instanceof VmcallError)) log.error({ err: error }, 'a control request failed');
  const { code, message, cure, exitCode } = error instanceof VmcallError ? error : internal(error);
  return refusalSchema.parse({ code, message: message.slice(0, 4000), cure, exit_code: exitCode });
}

export const readersOnly = () =>
  new VmcallError(
    'CONTROL_READ_ONLY',
    "a member of the readers' group may ask, and change nothing",
    'Run the same command as root: sudo vmcall ...',
  );
export const badRequest = (code: string, what: string) =>
  new VmcallError(code, what, 'Use the vmcall command of the same version as the host agent');
const internal = (error: unknown) =>
  new VmcallError('INTERNAL', describeError(error).split('\n')[0] ?? '', "See the host agent's log");
