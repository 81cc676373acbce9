// SPDX-License-Identifier: Apache-2.0
import { realpath } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { BackOff } from '../../src/support/back-off.js';
import { VmcallError } from '../../src/support/errors.js';
import type { Log } from '../../src/support/log.js';
import type { DataplaneConfiguration } from '../configuration.js';
import { type DataplaneInfo, policyName } from './dataplane.js';
import { adopt, commandLine, end, executable, launch, type RunningProgram } from './process.js';
import { ProgramKeeper } from './program-keeper.js';

const probeMs = 200;
const goodAfterMs = 30_000;

/** The program's words; the same for the same configuration, so that a running one can be known by them. */
export function programWords(configuration: DataplaneConfiguration): string[] {
  const { eal_arguments: eal, arguments: words, file_prefix: prefix, path } = configuration;
  return [...eal, '--file-prefix', prefix, '--', '--policy', policyName(path), ...words];
}

/**
 * Keeps one dataplane running: takes over one that an earlier agent left, starts it otherwise, and again when
 * it ends.
 */
export class Supervisor extends ProgramKeeper {
  readonly #backOff = new BackOff(500, 30_000);
  #program: RunningProgram | undefined;

  constructor(
    private readonly configuration: DataplaneConfiguration,
    log: Log,
  ) {
    super(configuration, log);
  }

  protected async letGo(): Promise<void> {
    if (this.#program) await end(this.#program);
  }

  protected async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const since = performance.now();
      const why = await this.#once(signal);
      if (signal.aborted) break;
      this.state = 'waiting';
      if (performance.now() - since > goodAfterMs) this.#backOff.reset();
      const wait = this.#backOff.next();
      this.log.error({ why, again_in_ms: Math.round(wait) }, 'the dataplane ended');
      this.emit('ended', why);
      await delay(wait, undefined, { signal }).catch(() => {});
      this.restarts++;
    }
  }

  /** One life of the program. @returns how it ended */
  async #once(signal: AbortSignal): Promise<string> {
    const { program } = this.configuration;
    this.state = 'starting';
    try {
      const adopted = await this.#takeOver();
      this.#program = adopted;
      if (signal.aborted) return 'stopped';
      const running = adopted ?? (await launch(program, programWords(this.configuration)));
      if ('failed' in running) return running.failed;
      this.#program = running;
      this.log.info({ pid: running.pid, adopted: adopted !== undefined }, 'the dataplane is there');
      const answer = await Promise.race([running.exited, this.#answering(signal)]);
      if (typeof answer === 'string') return answer;
      this.state = 'running';
      this.emit('running', adopted && answer.path);
      return await running.exited;
    } catch (error) {
      if (!(error instanceof VmcallError)) throw error;
      return error.message;
    } finally {
      const left = this.#program;
      this.#program = undefined;
      if (left) await end(left);
    }
  }

  /** Resolves to what the program answers, to a reason if it does not in time. */
  async #answering(signal: AbortSignal): Promise<DataplaneInfo | string> {
    const { start_timeout_s: limit } = this.configuration;
    const until = performance.now() + limit * 1000;
    while (performance.now() < until && !signal.aborted) {
      try {
        return await this.dataplane.info();
      } catch {
        await delay(probeMs);
      }
    }
    return `it did not answer within ${limit} s`;
  }

  /**
   * The program that runs already with our file prefix, if its command line is ours. One of the same executable with
   * another command line is from a configuration before and is ended.
   */
  async #takeOver(): Promise<RunningProgram | undefined> {
    let pid: number;
    try {
      pid = await this.dataplane.pid();
    } catch (error) {
      if (error instanceof VmcallError && error.code === 'TELEMETRY_UNREACHABLE') return undefined;
      throw error;
    }
    const running = await adopt(pid);
    if (!running) return undefined;
    const { program, file_prefix: prefix } = this.configuration;
    const wanted = [program, ...programWords(this.configuration)];
    if (JSON.stringify(await commandLine(pid)) === JSON.stringify(wanted)) return running;
    if ((await executable(pid)) !== (await realpath(program).catch(() => undefined)))
      throw new VmcallError(
        'DATAPLANE_PREFIX_TAKEN',
        `process ${pid}, which is not ${program}, uses the file prefix ${prefix}`,
        'Give dataplane.file_prefix another value, or end that program',
      );
    this.log.warn({ pid }, 'a dataplane with another command line runs: ending it');
    await end(running);
    return undefined;
  }
}
