// SPDX-License-Identifier: Apache-2.0
import { setTimeout as delay } from 'node:timers/promises';
import type { ControlClient } from '../control/client.js';
import type { DomainStatus } from '../control/schema.js';
import type { DesiredPath } from '../protocol/fields.js';
import { exitCodes, VmcallError } from '../support/errors.js';

const pollMs = 250;
/** Longer than all of the agent's own deadlines on the way: two requests to the guest, ten seconds each. */
const waitMs = 60_000;

/** When whoever begins to wait now has waited long enough, ms of performance.now(). */
export const patience = () => performance.now() + waitMs;

/** Until the path is reached. @param path null: until no path is desired. @throws VmcallError with the reason if it is not */
export async function waitFor(
  client: ControlClient,
  uuid: string,
  path: DesiredPath | null,
  until = patience(),
): Promise<DomainStatus> {
  for (;;) {
    const [domain] = (await client.status(uuid)).domains;
    const isWished = path === null ? domain?.desired_from === 'default' : domain?.desired === path;
    if (domain && isWished && domain.phase === 'reached') return domain;
    if (isWished && domain?.phase === 'blocked') throw notReached(domain);
    if (performance.now() > until) throw notReached(domain);
    await delay(pollMs);
  }
}

function notReached(domain: DomainStatus | undefined): VmcallError {
  const { code = 'NOT_REACHED', message = 'it takes longer than it should' } = domain?.reason ?? {};
  const isUnsupported = code === 'KVM_ABSENT' || code === 'KVM_UNSUPPORTED';
  return new VmcallError(
    code,
    `${domain?.name}: ${message} (desired ${domain?.desired}, actual ${domain?.actual})`,
    'The desired path is kept, and the host agent keeps retrying: see vmcall status --watch',
    isUnsupported ? exitCodes.unsupported : exitCodes.failed,
  );
}
