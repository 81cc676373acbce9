// SPDX-License-Identifier: Apache-2.0
import { EventEmitter } from 'node:events';
import type { Path } from '../../src/protocol/fields.js';
import type { Log } from '../../src/support/log.js';
import { Dataplane } from './dataplane.js';
import { Telemetry } from './telemetry.js';

export type ProgramState = 'starting' | 'running' | 'waiting' | 'stopped';

/** Where DPDK puts a program's telemetry (root's runtime folder, DPDK Programmer's Guide, "Telemetry Library"). */
export function telemetrySocket(filePrefix: string): string {
  return `/var/run/dpdk/${filePrefix}/dpdk_telemetry.v2`;
}

interface ProgramEvents {
  /** It answers; of one that ran before us, the path that it was found on. */
  running: [foundOn: Path | undefined];
  ended: [why: string];
}

/** How a DPDK program is reached, from one of its lives to the next. */
export interface ProgramAddress {
  telemetry_client: string;
  file_prefix: string;
}

/** Keeps one DPDK program in view: who starts it, if anybody here does, is for the classes below to say. */
export abstract class ProgramKeeper extends EventEmitter<ProgramEvents> {
  readonly dataplane: Dataplane;
  readonly #telemetry: Telemetry;
  readonly #stop = new AbortController();
  #running: Promise<void> | undefined;
  state: ProgramState = 'stopped';
  restarts = 0;
  /** Why it does not run; undefined while it does, or if that is told by `state`. */
  problem: { code: string; message: string } | undefined;

  protected constructor(
    { telemetry_client: client, file_prefix: prefix }: ProgramAddress,
    protected readonly log: Log,
  ) {
    super();
    this.#telemetry = new Telemetry(client, telemetrySocket(prefix));
    this.dataplane = new Dataplane(this.#telemetry);
  }

  start(): void {
    this.#running ??= this.run(this.#stop.signal);
  }

  /** Ends the keeping, and whatever `letGo` ends. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.letGo();
    await this.#running;
    this.#telemetry.close();
    this.state = 'stopped';
  }

  /** Until `signal`. */
  protected abstract run(signal: AbortSignal): Promise<void>;
  /** What becomes of the program when it is kept no more. */
  protected abstract letGo(): Promise<void>;
}
