// SPDX-License-Identifier: Apache-2.0
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { VmcallError } from '../../src/support/errors.js';
import type { Log } from '../../src/support/log.js';
import type { ApplicationConfiguration } from '../configuration.js';
import type { DataplaneInfo } from './dataplane.js';
import { adopt, type RunningProgram } from './process.js';
import { ProgramKeeper, telemetrySocket } from './program-keeper.js';

const lookMs = 1_000;

/**
 * Looks after a DPDK program that others start and end, and that has our library or plugin. Whenever it is there it is
 * put on the path wanted; it is never ended from here, and goes on as it is when the agent ends.
 */
export class Attachment extends ProgramKeeper {
  #wasThere = false;

  constructor(
    private readonly configuration: ApplicationConfiguration,
    log: Log,
  ) {
    super(configuration, log);
  }

  protected async letGo(): Promise<void> {}

  protected async run(signal: AbortSignal): Promise<void> {
    const stopped = once(signal, 'abort');
    this.state = 'waiting';
    while (!signal.aborted) {
      const found = await this.#find();
      if (found && !signal.aborted) await this.#attend(found.program, found.info, stopped, signal);
      await delay(lookMs, undefined, { signal }).catch(() => {});
    }
  }

  /** One life of the program, as far as we see it. */
  async #attend(
    program: RunningProgram,
    info: DataplaneInfo,
    stopped: Promise<unknown>,
    signal: AbortSignal,
  ): Promise<void> {
    if (this.#wasThere) this.restarts++;
    this.state = 'running';
    this.problem = undefined;
    this.log.info({ pid: program.pid, path: info.path }, 'attached to the application');
    // What it was found on at first is what somebody wanted before us; later lives are to be as the one before.
    this.emit('running', this.#wasThere ? undefined : info.path);
    this.#wasThere = true;
    await Promise.race([program.exited, stopped]);
    if (signal.aborted) return;
    this.state = 'waiting';
    this.log.warn({ pid: program.pid }, 'the application ended');
    this.emit('ended', `process ${program.pid} is gone`);
  }

  async #find(): Promise<{ program: RunningProgram; info: DataplaneInfo } | undefined> {
    const prefix = this.configuration.file_prefix;
    let pid: number | undefined;
    try {
      pid = await this.dataplane.pid();
      const info = await this.dataplane.info();
      const program = await adopt(pid);
      return program && { program, info };
    } catch (error) {
      if (!(error instanceof VmcallError)) throw error;
      this.#tell(
        pid === undefined
          ? { code: 'APPLICATION_ABSENT', message: `no DPDK program answers at ${telemetrySocket(prefix)}` }
          : {
              code: 'APPLICATION_WITHOUT_LIBRARY',
              message: `process ${pid} (file prefix ${prefix}) has neither libvmcall nor a started port with vmcall-plugin.so`,
            },
      );
      return undefined;
    }
  }

  /** Once, not each second. */
  #tell(problem: { code: string; message: string }): void {
    if (problem.code !== this.problem?.code) this.log.warn({ code: problem.code }, problem.message);
    this.problem = problem;
  }
}
