// SPDX-License-Identifier: Apache-2.0
import type {
  Enrol,
  Enrolled,
  Enrolments,
  Measure,
  MeasureEvent,
  Planned,
  Status,
} from '../../src/control/schema.js';
import type { DesiredPath } from '../../src/protocol/fields.js';
import type { Leases } from '../lease/leases.js';

/** What the command line may ask of the host agent. */
export interface Controlled {
  /** Of all domains, or of one. @throws VmcallError NO_DOMAIN */
  status(uuid?: string): Promise<Status>;
  /** What would be done if that path were desired. @throws VmcallError NO_DOMAIN, LIBVIRT_UNREACHABLE */
  plan(uuid: string, path: DesiredPath | null): Planned;
  /** @throws VmcallError NO_DOMAIN, LIBVIRT_UNREACHABLE, LIBVIRT_FAILED, DOMAIN_LEASED */
  desire(uuid: string, path: DesiredPath | null, lease?: string): Promise<void>;
  /** @throws VmcallError NO_DOMAIN, ENROLMENT_* */
  enrol(order: Enrol): Promise<Enrolled>;
  enrolments(): Promise<Enrolments>;
  /** @returns false if it was not enrolled */
  revoke(domain: string): Promise<boolean>;
  /** The asker has the domains to itself. @throws VmcallError DOMAIN_LEASED, NO_DOMAIN */
  readonly leases: Pick<Leases, 'take' | 'release'>;
  /** Resolves when every domain has ended or failed. @param signal nobody listens any more. @throws VmcallError DOMAIN_LEASED */
  measure(measure: Measure, emit: (event: MeasureEvent) => void, signal: AbortSignal): Promise<void>;
}
