// SPDX-License-Identifier: Apache-2.0
import type { Health } from '../../src/protocol/messages.js';
import type { DesiredPath } from '../libvirt/metadata.js';
import type { Switches } from './demands.js';

/** KVM's side of one running domain, as its debugfs folder shows it (kernel-patches/README.md). */
export type KvmSeen =
  /** Its folder cannot be found or read. */
  | { support: 'absent'; why: string }
  /** A KVM without the series. */
  | { support: 'unsupported'; missing: readonly string[] }
  | (Switches & {
      support: 'present';
      /** Calls counted since the VM began. */
      yields: number;
      /** Doorbells rung since then. */
      rings?: number;
    });

/** What KVM's own count says about a guest that says it is on `vmcall`. */
export type Evidence =
  /** Calls were counted within the time that the configuration allows. */
  | 'counted'
  /** None yet, and that time is not over. */
  | 'awaited'
  /** None for longer than that. */
  | 'missing';

/** What the reconciler does. `give-up` takes what is seen for a failure, and so turns the way round. */
export const steps = [
  'allow',
  'tell-vmcall',
  'give-up',
  'tell-injected',
  'tell-poll',
  'tell-pv-kick',
  'allow-hard-isr',
  'forbid',
] as const;
export type Step = (typeof steps)[number];

/** A step that failed not long ago; until it is tried again, the injected path is what is driven to. */
export interface Failure {
  step: Step;
  code: string;
  message: string;
}

/** All that is seen of one domain at one moment. */
export interface Seen {
  /** `default`: the metadata has nothing of ours. `invalid`: what it has cannot be used. */
  desired: { path: DesiredPath; source: 'metadata' | 'default' | 'invalid' };
  /** `off`: it does not run. `paused`: nothing in it can answer. */
  domain: 'running' | 'paused' | 'off';
  kvm: KvmSeen;
  /** The guest agent's session; null without one. Its health is null until it has told it. */
  guest: {
    capable: boolean;
    /** Its agent knows the PV kick. */
    kicks: boolean;
    health: Health | null;
  } | null;
  evidence: Evidence;
  failure: Failure | null;
}
