// SPDX-License-Identifier: Apache-2.0
import { type ChildProcess, fork } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { join } from 'node:path';
import { LineSplitter } from '../support/lines.js';
import { projectRoot } from '../support/paths.js';
import type { AgentFigures, FromAgent, ToAgent } from './messages.js';
import type { StandInHost } from './stand-in-host.js';

const program = (name: string) => join(projectRoot, 'dist', 'src', 'bench', name);
const logLineMost = 64 * 1024;

/** A line of the host agent's log. */
export type LogLine = { message?: string; domain?: string } & Record<string, unknown>;

/** The host agent as a process, with its log. Emits `line` for each line of it. */
export class AgentProcess extends EventEmitter<{ line: [LogLine] }> {
  /** What Prometheus scrapes. */
  readonly metrics = new URL('http://127.0.0.1/metrics');

  private constructor(private readonly child: ChildProcess) {
    super();
    const lines = new LineSplitter(logLineMost);
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      for (const line of lines.push(text)) {
        if (line.startsWith('{')) this.emit('line', JSON.parse(line) as LogLine);
        else process.stderr.write(`${line}\n`);
      }
    });
  }

  /** @param observe with the event loop's delay, which costs CPU time */
  static async start(host: StandInHost, observe: boolean): Promise<{ agent: AgentProcess; port: number }> {
    const words = [host.configurationFile, host.root, observe ? 'observe' : ''];
    const child = fork(program('host-agent-process.js'), words, {
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    const agent = new AgentProcess(child);
    let port = 0;
    await new Promise<void>((resolve, reject) => {
      child.once('exit', (code) => reject(new Error(`the host agent ended with ${code}`)));
      agent.on('line', ({ message, guests, metrics }) => {
        if (message === 'listening') port = (guests as { port: number }).port;
        if (message !== 'listening for scrapes') return;
        agent.metrics.port = String((metrics as { port: number }).port);
        resolve();
      });
    });
    return { agent, port };
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  /** @param message `reset`: figures of the event loop's delay start again after these */
  async figures(message: ToAgent = 'figures'): Promise<AgentFigures> {
    const answered = once(this.child, 'message');
    this.child.send(message);
    const [{ figures }] = (await answered) as [FromAgent];
    return figures;
  }

  async stop(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const exited = once(this.child, 'exit');
    this.child.kill('SIGTERM');
    await exited;
  }
}

/** The process that holds the guests. */
export function forkGuests(): ChildProcess {
  return fork(program('guests-process.js'), { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
}
