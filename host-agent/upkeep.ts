// SPDX-License-Identifier: Apache-2.0
import type { TuningStatus } from '../src/control/schema.js';

/** Who keeps what `vmcall tune` applied: the agent runs it and reports its status, and knows no more of tuning. */
export interface Upkeep {
  start(): void;
  stop(): Promise<void>;
  /** The domain began, ended or changed. */
  kick(uuid: string): void;
  /** Whether the non-threaded handler is on for the domain, whatever its path. */
  keepsHardirq(uuid: string): boolean;
  /** Undefined for a domain of which nothing is kept. */
  status(uuid: string): TuningStatus | undefined;
}

/** @param state folder of `vmcall tune` */
export type NewUpkeep = (options: { state: string; intervalMs: number }) => Upkeep;

/** Of an agent that was given none. */
export const noUpkeep: NewUpkeep = () => ({
  start() {},
  async stop() {},
  kick() {},
  keepsHardirq: () => false,
  status: () => undefined,
});
