// SPDX-License-Identifier: Apache-2.0

import type { DomainStatus } from '../../src/control/schema.js';
import type { Health } from '../../src/protocol/messages.js';
import type { GuestSession } from '../guest-sessions/guest-session.js';
import type { DomainFacts } from '../libvirt/libvirt.js';
import { actualPath, decide, type Reason } from './decide.js';
import type { Seen } from './seen.js';

/** A guest that is connected, and the last health it reported. */
export interface GuestSeen {
  session: GuestSession;
  health: Health | null;
}

/** Why the facts are not of now: there is nobody to ask. */
export const libvirtLost: Reason = {
  code: 'LIBVIRT_LOST',
  message: 'the desired path is the last one read: no connection to libvirt',
};

/** A domain as `vmcall status` shows it. @param unread why the facts are not of now, if they are not */
export function describeDomain(
  seen: Seen,
  { identity, problem }: DomainFacts,
  guest: GuestSeen | undefined,
  unread: Reason | undefined,
): DomainStatus {
  const decision = decide(seen);
  const { kvm } = seen;
  const isPresent = kvm.support === 'present';
  return {
    ...identity,
    domain: seen.domain,
    desired: seen.desired.path,
    desired_from: seen.desired.source,
    problem,
    actual: actualPath(seen),
    phase: unread ? 'blocked' : decision.phase,
    reason: unread ?? decision.reason,
    kvm: {
      support: kvm.support,
      vcpu_yield: isPresent ? kvm.vcpuYield : null,
      irqfd_hardirq: isPresent ? kvm.irqfdHardirq : null,
      yields: isPresent ? kvm.yields : null,
      rings: isPresent ? (kvm.rings ?? null) : null,
    },
    guest: guest ? { agent: guest.session.agreement.agent, health: guest.health } : null,
  };
}
