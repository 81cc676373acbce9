// SPDX-License-Identifier: Apache-2.0
import type { Artifacts } from '../setup/artifacts.js';
import type { Progress } from '../support/progress.js';
import type { LabEvent } from './events.js';
import type { Clock } from './machine.js';
import type { Plan } from './plan.js';

/** An attempt that did not reach its end, and where its consoles are. */
export interface FailedAttempt {
  why: string;
  folder: string;
}

export interface LabRun {
  clock: Clock;
  events: LabEvent[];
  /** Share of its steps that were done when it ended: 1 unless it was ended by the request's signal. */
  done: number;
  /** L0's own words for QEMU. */
  qemu: string[];
  /** Whether its host booted in it, or what was saved of it when. */
  began: string;
  failures: FailedAttempt[];
}

/** What a plan has from the builds and the run itself, not from who asks for a scenario. */
type LabParts = Pick<
  Plan,
  | 'kernel'
  | 'programs'
  | 'guestInitramfs'
  | 'dataplane'
  | 'generator'
  | 'tscKhz'
  | 'turns'
  | 'stock'
  | 'selftests'
  | 'costs'
>;

export interface LabRequest {
  artifacts: Artifacts;
  clock: Clock;
  /** Where consoles, events and the plan are kept, one folder an attempt. */
  folder: string;
  scenario: Omit<Plan, keyof LabParts>;
  /** See `machine.ts`; true unless said. */
  tickless?: boolean;
  progress: Progress;
  /** Gets each event as it comes, also those of an attempt that fails later. */
  onEvent?: (event: LabEvent) => void;
  /** Boot host and guest in it, whatever is saved of them, and save nothing. */
  fresh?: boolean;
  /** How often a failed attempt is made again; twice unless said. */
  retries?: number;
  /** Ends the run, which then has what was measured until then. */
  signal?: AbortSignal;
}
