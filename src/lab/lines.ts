// SPDX-License-Identifier: Apache-2.0
import { createConnection, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { lockdepRuns } from './lockdep.js';

/** A host whose kernel checks itself takes longer for everything, most of all for a guest's I/O. */
const slowness = lockdepRuns() === null ? 1 : 20;

/** One line asks, one line answers, over a Unix socket (a guest's virtio-serial port, or QMP). */
export class LineChannel {
  #waiting: {
    resolve: (line: string) => void;
    reject: (error: Error) => void;
    accept: (line: string) => boolean;
  }[] = [];
  #unclaimed: string[] = [];
  #partial = '';
  #broken: Error | undefined;

  private constructor(
    readonly name: string,
    private readonly socket: Socket,
  ) {
    socket.setEncoding('utf8');
    socket.on('data', (chunk: string) => this.#receive(chunk));
    socket.on('error', (error) => this.#fail(error));
    socket.on('close', () => this.#fail(new Error(`${name}: the other side closed the channel`)));
  }

  /** Over a socket that is connected already. */
  static over(name: string, socket: Socket): LineChannel {
    return new LineChannel(name, socket);
  }

  /** Connects to `path`, which may take the other side a moment to create (40 tries, 250 ms apart). */
  static async connect(name: string, path: string): Promise<LineChannel> {
    for (let attempt = 1; ; attempt++) {
      try {
        const socket = createConnection(path);
        await new Promise<void>((resolve, reject) => socket.once('connect', resolve).once('error', reject));
        return new LineChannel(name, socket);
      } catch (error) {
        if (attempt === 40) throw error;
        await delay(250);
      }
    }
  }

  send(line: string): void {
    this.socket.write(`${line}\n`);
  }

  /** The next line that `accept` takes; others that come meanwhile are dropped. `timeout` in ms, on a usual host. */
  async next(timeout: number, accept: (line: string) => boolean = () => true): Promise<string> {
    while (this.#unclaimed.length > 0) {
      const line = this.#unclaimed.shift() ?? '';
      if (accept(line)) return line;
    }
    if (this.#broken) throw this.#broken;
    let timer: NodeJS.Timeout | undefined;
    const limit = timeout * slowness;
    return new Promise<string>((resolve, reject) => {
      this.#waiting.push({ resolve, reject, accept });
      timer = setTimeout(() => {
        this.#waiting = this.#waiting.filter((waiter) => waiter.resolve !== resolve);
        reject(new Error(`${this.name}: no answer within ${limit / 1000} s`));
      }, limit);
    }).finally(() => clearTimeout(timer));
  }

  async ask(line: string, timeout: number, accept?: (line: string) => boolean): Promise<string> {
    // An answer that came after its asker gave up is nobody's.
    this.#unclaimed = [];
    this.send(line);
    return this.next(timeout, accept);
  }

  close(): void {
    this.socket.destroy();
  }

  #receive(chunk: string): void {
    const lines = (this.#partial + chunk).split('\n');
    this.#partial = lines.pop() ?? '';
    for (const line of lines.map((text) => text.trim()).filter(Boolean)) {
      const waiter = this.#waiting.find(({ accept }) => accept(line));
      if (!waiter) {
        this.#unclaimed.push(line);
        continue;
      }
      this.#waiting = this.#waiting.filter((other) => other !== waiter);
      waiter.resolve(line);
    }
  }

  #fail(error: Error): void {
    this.#broken = error;
    for (const { reject } of this.#waiting) reject(error);
    this.#waiting = [];
  }
}
