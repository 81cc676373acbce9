// SPDX-License-Identifier: Apache-2.0

import { type Finding, fail, ok, warn } from '../../host-agent/tuning/checks/finding.js';
import type { DomainStatus, Status } from '../control/schema.js';
import { VmcallError } from '../support/errors.js';
import { shellWord } from '../support/shell-words.js';
import { type AgentOptions, findDomain, openAgent } from './domains.js';

export interface CheckedDomain {
  status: Status;
  domain: DomainStatus;
}

const absences: readonly string[] = ['HOST_AGENT_ABSENT', 'HOST_AGENT_FORBIDDEN'];

/**
 * The domain as a live host agent knows it; undefined where no agent runs.
 * @param isMeant the user named the agent: one that is not there is an error then
 */
export async function askLive(
  name: string,
  options: AgentOptions,
  isMeant: boolean,
): Promise<CheckedDomain | undefined> {
  try {
    const { status } = await openAgent(options);
    return { status, domain: findDomain(status, name) };
  } catch (error) {
    if (isMeant || !(error instanceof VmcallError)) throw error;
    if (absences.includes(error.code)) return undefined;
    // What the agent does not know may be a QEMU process that libvirt does not know either.
    if (error.code === 'NO_DOMAIN' && options.connect === undefined) return undefined;
    throw error;
  }
}

/** What only a live host agent can say: libvirt, the guest and its dataplane, and whether the path is upheld. */
export function liveFindings({ status: { libvirt }, domain }: CheckedDomain): Finding[] {
  const { desired, actual, phase, reason } = domain;
  const why = reason ? `: ${reason.code}: ${reason.message}` : '';
  const paths = `desired ${desired}, actual ${actual}`;
  return [
    libvirt.connected
      ? ok('libvirt', `the host agent is connected to ${libvirt.uri}`)
      : fail('libvirt', `the host agent has no connection to ${libvirt.uri}`, 'systemctl start libvirtd'),
    ...guestFindings(domain),
    phase === 'reached'
      ? ok('path', paths)
      : phase === 'moving'
        ? warn('path', `${paths}${why}`, 'vmcall status --watch  # until it is reached')
        : fail('path', `${paths}${why}`, 'See the reasons in host-agent/README.md.'),
  ];
}

function guestFindings({ name, guest }: DomainStatus): Finding[] {
  if (!guest)
    return [
      fail(
        'guest-agent',
        'no session with its guest agent',
        `vmcall enroll ${shellWord(name)}  # and start it in the guest: systemctl enable --now vmcall-guest-agent`,
      ),
    ];
  const there = ok('guest-agent', guest.agent);
  const { health } = guest;
  if (!health) return [there, warn('dataplane', 'not reported yet', 'Ask again in some seconds.')];
  const { dataplane, version, reason, restarts } = health;
  const why = reason ? `: ${reason.code}: ${reason.message}` : '';
  return dataplane === 'running' && health.upheld
    ? [there, ok('dataplane', `${version ?? 'running'}, started again ${restarts} times`)]
    : [
        there,
        fail(
          'dataplane',
          `${dataplane}${why}`,
          'See its log, in the guest: journalctl -u vmcall-guest-agent',
        ),
      ];
}
