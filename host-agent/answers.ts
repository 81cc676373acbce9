// SPDX-License-Identifier: Apache-2.0
import { setImmediate as nextTurn } from 'node:timers/promises';
import type {
  DomainStatus,
  Enrol,
  Enrolled,
  Enrolments,
  Measure,
  MeasureEvent,
  Planned,
  Status,
} from '../src/control/schema.js';
import { closeCodes } from '../src/protocol/codes.js';
import type { DesiredPath } from '../src/protocol/fields.js';
import type { Log } from '../src/support/log.js';
import type { Settings } from './configuration.js';
import type { Controlled } from './control/controlled.js';
import type { Domains } from './domains.js';
import { hostCertificate } from './enrolment/certificate.js';
import { EnrolmentStore } from './enrolment/store.js';
import type { GuestListener } from './guest-listener.js';
import type { Leases } from './lease/leases.js';
import { type Desired, desiredIn } from './libvirt/libvirt.js';
import { formatDesired } from './libvirt/metadata.js';
import { writeDesired } from './libvirt/write-desired.js';
import type { Listening } from './listening.js';
import { measureGuests } from './measuring.js';
import { tellable } from './switch/tellable.js';
import type { Upkeep } from './upkeep.js';

/** Domains that a status covers before other work gets its turn. */
const domainsATurn = 50;

/** What the answers are made from. */
export interface AnswersParts {
  settings: Settings;
  domains: Domains;
  guests: GuestListener;
  leases: Leases;
  upkeep: () => Pick<Upkeep, 'status'>;
  /** Where the agent cannot listen, and why. */
  unheard: () => readonly Pick<Listening, 'what' | 'problem'>[];
  log: Log;
}

/** What the agent does and answers when a command asks by the control socket. */
export class Answers implements Controlled {
  readonly leases: Leases;

  constructor(private readonly parts: AnswersParts) {
    this.leases = parts.leases;
  }

  /** In turns: each domain is read from the kernel, and guests must not wait for a thousand. */
  async status(uuid?: string): Promise<Status> {
    const { domains, guests, settings, unheard, upkeep } = this.parts;
    const { connected, uri } = domains.libvirt;
    const keepers = uuid === undefined ? domains.keepers() : [domains.keeper(uuid)];
    const found: DomainStatus[] = [];
    for (const [at, keeper] of keepers.entries()) {
      const status = keeper.status(connected);
      const tuning = status && upkeep().status(status.uuid);
      if (status) found.push(tellable(tuning ? { ...status, tuning } : status));
      if (at % domainsATurn === domainsATurn - 1) await nextTurn();
    }
    if (uuid !== undefined && found.length === 0) throw domains.missing(uuid);
    const { address, port } = settings.current.guests;
    return {
      format: 'vmcall-status',
      version: 1,
      libvirt: { uri, connected },
      guests: { address, port: guests.port ?? port },
      unheard: unheard().flatMap(({ what, problem }) => (problem ? [{ what, problem }] : [])),
      domains: found,
    };
  }

  plan(uuid: string, path: DesiredPath | null): Planned {
    const { domains } = this.parts;
    const keeper = domains.keeper(uuid);
    const before = keeper.desired;
    const { desired } = asDesired(path);
    const planned = keeper.plan(desired);
    if (!planned || before === undefined) throw domains.missing(uuid);
    return { format: 'vmcall-plan', version: 1, uuid, desired: { before, after: desired.path }, ...planned };
  }

  async desire(uuid: string, path: DesiredPath | null, lease?: string): Promise<void> {
    const { domains, leases, log } = this.parts;
    const keeper = domains.keeper(uuid);
    leases.check(uuid, lease);
    if (lease !== undefined) await leases.touch(uuid, lease);
    const before = keeper.desired;
    if (before === undefined || !(await writeDesired(domains.libvirt, uuid, path)))
      throw domains.missing(uuid);
    log.info({ domain: uuid, before, after: path }, 'desired path set');
    keeper.desire(asDesired(path));
  }

  async enrol({ domain, overlap_s: overlapS }: Enrol): Promise<Enrolled> {
    this.parts.domains.keeper(domain);
    const { fingerprint } = await hostCertificate(this.parts.settings.current.state.folder);
    const secret = await this.#enrolments().issue(domain, overlapS);
    this.parts.log.info({ domain, overlap_s: overlapS }, 'enrolled');
    return { format: 'vmcall-enrolled', version: 1, domain, secret, fingerprint };
  }

  async enrolments(): Promise<Enrolments> {
    const { domains, guests } = this.parts;
    const all = await this.#enrolments().list();
    return {
      format: 'vmcall-enrolments',
      version: 1,
      domains: all.map(({ domain: uuid, issued, previousUntil }) => ({
        uuid,
        name: domains.find(uuid)?.recall(true)?.status.name ?? null,
        issued,
        previous_until: previousUntil,
        session: guests.session(uuid) !== undefined,
      })),
    };
  }

  async revoke(domain: string): Promise<boolean> {
    const was = await this.#enrolments().revoke(domain);
    this.parts.guests.session(domain)?.close(closeCodes.revoked, 'the secret was revoked');
    this.parts.log.info({ domain, was }, 'revoked');
    return was;
  }

  async measure(measure: Measure, emit: (event: MeasureEvent) => void, signal: AbortSignal): Promise<void> {
    const { guests, leases } = this.parts;
    const { domains, lease } = measure;
    const taken = lease ?? leases.take({ domains, holder: { verb: 'measurement', pid: process.pid } });
    try {
      for (const uuid of domains) leases.check(uuid, taken);
      await measureGuests((uuid) => guests.session(uuid), measure, emit, signal);
    } finally {
      if (lease === undefined) await leases.release(taken);
    }
  }

  #enrolments(): EnrolmentStore {
    return new EnrolmentStore(this.parts.settings.current.state.folder);
  }
}

/** As the domain's metadata would say it. */
function asDesired(path: DesiredPath | null): Desired {
  return desiredIn(path === null ? null : formatDesired(path));
}
