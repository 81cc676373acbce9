// SPDX-License-Identifier: Apache-2.0
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { type FileHandle, open, readFile } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { setPriority } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { cpuTimeOf } from '../support/cpu-time.js';
import { shellWord } from '../support/shell-words.js';
import { LineChannel } from './lines.js';
import { type Clock, monitorDescriptor, ordersDescriptor } from './machine.js';
import { Qmp } from './qmp.js';

/** See host/pulse.ts, ms. */
const pulseEvery = 1000;
/** As for nice(1). */
const preferred = -10;
const lookEvery = 20;
/** Bytes a second: a paused machine may use all of the disk's bandwidth. */
const bandwidth = 2 ** 40;

/**
 * Parallel CPUs that race wait for each other by spinning: on a busy machine each wait is a time slice, and minutes become
 * hours. Before its threads begin, for they inherit it; who may not set it does without.
 */
function prefer(pid: number | undefined): void {
  try {
    if (pid !== undefined) setPriority(pid, preferred);
  } catch {
    // Slower, then.
  }
}

/** QEMU with L1 in it, its monitor, and the port of its orders. */
export class Emulator {
  #ended = false;
  #spawnError: Error | undefined;
  #pulse: NodeJS.Timeout | undefined;
  readonly #qmp: Promise<Qmp>;

  private constructor(
    private readonly child: ChildProcess,
    private readonly log: FileHandle,
    private readonly logFile: string,
  ) {
    child.once('error', (error) => {
      this.#spawnError = error;
    });
    child.once('exit', () => {
      this.#ended = true;
    });
    // QEMU may end, or never read it.
    for (const stream of [child.stdin, this.#socket(ordersDescriptor)]) stream?.on('error', () => {});
    this.#qmp = Qmp.over(LineChannel.over('QMP', this.#socket(monitorDescriptor)));
    this.#qmp.catch(() => {});
  }

  /** Runs, or, with the file of an image, is paused: see `takeUp`. */
  static async start(run: string, words: readonly string[], clock: Clock, image?: string): Promise<Emulator> {
    const logFile = join(run, 'qemu.log');
    const log = await open(logFile, 'w');
    const incoming = image === undefined ? [] : ['-S', '-incoming', `exec:cat ${shellWord(image)}`];
    // The kernel ends QEMU with us, whatever way we end.
    const child = spawn('setpriv', ['--pdeathsig', 'KILL', ...words, ...incoming], {
      stdio: ['pipe', log.fd, log.fd, 'pipe', 'pipe'],
    });
    const emulator = new Emulator(child, log, logFile);
    if (clock === 'realtime') {
      emulator.#pulse = setInterval(() => child.stdin?.write('\n'), pulseEvery);
      prefer(child.pid);
    }
    return emulator;
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** Why it never began. */
  get spawnError(): Error | undefined {
    return this.#spawnError;
  }

  /** CPU time of what may have ended, s. */
  get cpuSeconds(): number {
    const { pid } = this.child;
    try {
      return pid === undefined ? 0 : cpuTimeOf(pid);
    } catch {
      return 0;
    }
  }

  order(line: string): void {
    this.#socket(ordersDescriptor).write(`${line}\n`);
  }

  /** Writes the machine to a file; it is paused meanwhile. @returns why it could not be */
  async save(file: string): Promise<string | undefined> {
    const qmp = await this.#qmp;
    await qmp.execute('stop');
    try {
      await qmp.execute('migrate-set-parameters', { 'max-bandwidth': bandwidth });
      await qmp.execute('migrate', { uri: `exec:cat > ${shellWord(file)}` });
      for (;;) {
        const { status, 'error-desc': why } = (await qmp.execute('query-migrate')) as {
          status?: string;
          'error-desc'?: string;
        };
        if (status === 'completed') return undefined;
        if (status === 'failed') return why ?? 'QEMU does not say why';
        await delay(lookEvery);
      }
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    } finally {
      await qmp.execute('cont');
    }
  }

  /** Goes on with the machine of its image, once that is read. @throws Error with QEMU's own words if it cannot be */
  async takeUp(): Promise<void> {
    try {
      const qmp = await this.#qmp;
      for (;;) {
        const { status } = (await qmp.execute('query-status')) as { status: string };
        if (status !== 'inmigrate') break;
        await delay(lookEvery);
      }
      await qmp.execute('cont');
    } catch (cause) {
      throw new Error(`the machine's image cannot be restored: ${await this.lastWords()}`, { cause });
    }
  }

  /** Of all its CPUs, as QEMU shows them: where a machine hangs. */
  async registers(): Promise<string> {
    const words = { 'command-line': 'info registers -a' };
    return String(await (await this.#qmp).execute('human-monitor-command', words));
  }

  /** The end of what QEMU itself printed. */
  async lastWords(): Promise<string> {
    return (await readFile(this.logFile, 'utf8')).trim().slice(-300);
  }

  async end(): Promise<void> {
    clearInterval(this.#pulse);
    // Its memory is free for the next once it is gone.
    const gone = this.#ended || this.child.pid === undefined ? undefined : once(this.child, 'exit');
    this.child.kill('SIGKILL');
    await gone;
    await this.log.close();
  }

  #socket(descriptor: number): Socket {
    return this.child.stdio[descriptor] as Socket;
  }
}
