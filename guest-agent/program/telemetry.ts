// SPDX-License-Identifier: Apache-2.0
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { VmcallError } from '../../src/support/errors.js';
import { LineSplitter } from '../../src/support/lines.js';

interface Question {
  command: string;
  timeoutMs: number;
  resolve: (answer: unknown) => void;
  reject: (error: VmcallError) => void;
}

/** Longest reply of vmcall-telemetry (telemetry_link.h), characters. */
const replyMost = 64 * 1024;
const queueMost = 32;
/** vmcall-telemetry itself gives up after 15 s. */
const usualTimeoutMs = 20_000;

/**
 * DPDK telemetry of one program, by the program vmcall-telemetry as a child, for Node.js has no SEQPACKET sockets. One
 * question at a time; the child is started when there is a question, and again if it died.
 */
export class Telemetry {
  readonly #queue: Question[] = [];
  #child: ChildProcessWithoutNullStreams | undefined;
  #asked: (Question & { timer: NodeJS.Timeout }) | undefined;
  #closed = false;

  constructor(
    private readonly program: string,
    private readonly socket: string,
  ) {}

  /**
   * Asks one telemetry command; gives the value under the command's name in the answer.
   * @throws VmcallError TELEMETRY_UNREACHABLE: nobody answers there; TELEMETRY_FAILED: no usable answer
   */
  async ask(command: string, timeoutMs: number = usualTimeoutMs): Promise<unknown> {
    const answer = await new Promise<unknown>((resolve, reject) => {
      const question = { command, timeoutMs, resolve, reject };
      if (this.#closed) reject(failed(command, 'the agent is stopping'));
      else if (this.#queue.length >= queueMost) reject(failed(command, 'too many questions wait'));
      else {
        this.#queue.push(question);
        this.#next();
      }
    });
    const name = command.split(',')[0] ?? command;
    if (typeof answer === 'object' && answer !== null) {
      const body = (answer as Record<string, unknown>)[name];
      if (body !== undefined && body !== null) return body;
      const { code, error } = answer as Record<string, unknown>;
      if (code === 'ENOTCONN') throw unreachable(command, String(error));
      if (typeof code === 'string') throw failed(command, `${code}: ${error}`);
    }
    throw failed(command, `unexpected answer ${JSON.stringify(answer).slice(0, 200)}`);
  }

  /** Ends the child; questions that wait fail. */
  close(): void {
    this.#closed = true;
    this.#fail('the agent is stopping');
    for (const question of this.#queue.splice(0))
      question.reject(failed(question.command, 'the agent is stopping'));
  }

  #next(): void {
    if (this.#asked) return;
    const question = this.#queue.shift();
    if (!question) return;
    this.#child ??= this.#start();
    const timer = setTimeout(
      () => this.#fail(`no answer within ${question.timeoutMs} ms`),
      question.timeoutMs,
    );
    this.#asked = { ...question, timer };
    this.#child.stdin.write(`${question.command}\n`);
  }

  #start(): ChildProcessWithoutNullStreams {
    const child = spawn(this.program, ['--socket', this.socket, '--serve', '-'], { stdio: 'pipe' });
    const lines = new LineSplitter(replyMost);
    child.stdout.setEncoding('utf8');
    child.stdout.on('data', (text: string) => {
      if (this.#child !== child) return;
      try {
        for (const line of lines.push(text)) this.#answered(JSON.parse(line));
      } catch (error) {
        this.#fail(`${this.program}: ${(error as Error).message}`);
      }
    });
    // What it says of its own end is all it says; the last of it is enough.
    let said = '';
    child.stderr.setEncoding('utf8');
    child.stderr.on('data', (text: string) => {
      said = (said + text).slice(-300);
    });
    child.stdin.on('error', () => {});
    child.on('error', (error) => this.#child === child && this.#fail(error.message));
    child.on('exit', (code, signal) => {
      if (this.#child === child) this.#fail(`${this.program} ended with ${signal ?? code}: ${said.trim()}`);
    });
    return child;
  }

  #answered(answer: unknown): void {
    const asked = this.#asked;
    if (!asked) throw new Error('an answer without a question');
    this.#asked = undefined;
    clearTimeout(asked.timer);
    asked.resolve(answer);
    this.#next();
  }

  /** The child is of no use any more: what it was asked fails, the next question starts another. */
  #fail(why: string): void {
    const { child, asked } = { child: this.#child, asked: this.#asked };
    this.#child = undefined;
    this.#asked = undefined;
    child?.kill('SIGKILL');
    if (asked) {
      clearTimeout(asked.timer);
      asked.reject(failed(asked.command, why));
    }
    if (!this.#closed) this.#next();
  }
}

function failed(command: string, why: string): VmcallError {
  return new VmcallError(
    'TELEMETRY_FAILED',
    `${command}: ${why}`,
    "See the dataplane's own messages in the log",
  );
}

function unreachable(command: string, why: string): VmcallError {
  return new VmcallError('TELEMETRY_UNREACHABLE', `${command}: ${why}`, 'Does the dataplane run?');
}
