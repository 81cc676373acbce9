// SPDX-License-Identifier: Apache-2.0
import { type LiveDomain, type LiveMessage, liveDomainSchema, liveLimits } from '../../src/protocol/live.js';
import type { ObservedDomain } from './observed-domain.js';

const ranks = { running: 0, paused: 1, off: 2 } as const;

/** All domains in as many messages as their size needs: those that run first, then by name; the rest is left out. */
export function drawPicture(
  observed: readonly ObservedDomain[],
  head: Pick<LiveMessage, 'sequence' | 'libvirt'>,
  now: number,
): LiveMessage[] {
  const inOrder = observed.toSorted(
    ({ status: a }, { status: b }) => ranks[a.domain] - ranks[b.domain] || (a.name < b.name ? -1 : 1),
  );
  const parts: LiveDomain[][] = [[]];
  let partBytes = 0;
  let bytes = 0;
  let taken = 0;
  for (const one of inOrder) {
    const domain = drawDomain(one, now);
    // A guest says what its figures are: those that do not fit are left out, and no others with them.
    if (!liveDomainSchema.safeParse(domain).success) continue;
    const size = Buffer.byteLength(JSON.stringify(domain)) + 1;
    if (bytes + size > liveLimits.pictureBytes) break;
    if (partBytes + size > liveLimits.partBytes) {
      parts.push([]);
      partBytes = 0;
    }
    parts.at(-1)?.push(domain);
    partBytes += size;
    bytes += size;
    taken++;
  }
  return parts.map((part, at) => ({
    type: 'live',
    ...head,
    part: at + 1,
    parts: parts.length,
    left_out: observed.length - taken,
    domains: part,
  }));
}

function drawDomain({ status, figures }: ObservedDomain, now: number): LiveDomain {
  const { uuid, name, domain, desired, actual, phase, reason, guest } = status;
  return {
    uuid,
    name: name.slice(0, liveLimits.nameCharacters),
    state: domain,
    desired,
    actual,
    phase,
    reason: reason && {
      code: reason.code,
      message: reason.message.slice(0, liveLimits.reasonCharacters),
    },
    session: guest !== null,
    interval: figures?.interval(now) ?? null,
  };
}
