// SPDX-License-Identifier: Apache-2.0
import type { Step } from '../../src/control/steps.js';
import type { Health } from '../../src/protocol/messages.js';
import type { Desired, RunState } from '../libvirt/libvirt.js';
import type { Switches } from './demands.js';

/** KVM's side of one running domain, as its folder in sysfs shows it (kernel-patches/docs/switching.md). */
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
  /** None, and the guest says that it gets packets without a pause and does not sleep. */
  | 'busy'
  /** None yet, and that time is not over. */
  | 'awaited'
  /** None for longer than that. */
  | 'missing';

/** A step that failed not long ago; until it is retried, the injected path is what is driven to. */
export interface Failure {
  step: Step;
  code: string;
  message: string;
}

/** All that is seen of one domain at one moment. */
export interface Seen {
  desired: Desired['desired'];
  domain: RunState;
  kvm: KvmSeen;
  /** The guest agent's session; null without one. Its health is null until it has reported it. */
  guest: {
    capable: boolean;
    /** Its agent knows the PV kick. */
    kicks: boolean;
    health: Health | null;
  } | null;
  evidence: Evidence;
  failure: Failure | null;
  /** `vmcall tune` has the non-threaded handler on for it, whatever the path. */
  tunedHardirq?: boolean;
}
