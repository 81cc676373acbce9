// SPDX-License-Identifier: Apache-2.0
import { setTimeout as delay } from 'node:timers/promises';
import { Command } from 'commander';
import { usableSocket } from '../control/socket.js';
import { exitCodes, VmcallError } from '../support/errors.js';
import { observe, type Picture } from '../top/observe.js';
import { type ScreenState, screen, summaryLine } from '../top/screen.js';
import { sortings, table } from '../top/table.js';
import { type Key, Terminal } from '../top/terminal.js';
import { socketOption } from './domains.js';
import { whole } from './whole.js';

interface TopOptions {
  socket: string;
  json?: true;
  batch?: true;
  iterations?: number;
}

/** Of a table that goes to no terminal. */
const batchWidth = 512;
const retryMs = 1_000;

/** `vmcall top`: what the host agent knows of its domains, each second. */
export function topCommand(): Command {
  return new Command('top')
    .option(
      '-b, --batch',
      'print table after table, as into a file; so it is too where stdout is no terminal',
    )
    .option('-n, --iterations <n>', 'end after so many', whole(1, 1_000_000_000))
    .option('--json', 'print a JSON document a line, each second')
    .addOption(socketOption())
    .action(top);
}

async function top(options: TopOptions): Promise<void> {
  if (options.json || options.batch || !process.stdout.isTTY) await batch(options);
  else await interactive(options);
}

const clock = (now: Date) => now.toTimeString().slice(0, 8);

async function batch({ socket, json, iterations = Number.POSITIVE_INFINITY }: TopOptions): Promise<void> {
  const stop = new AbortController();
  // `vmcall top | head` has seen enough.
  process.stdout.on('error', () => stop.abort());
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => stop.abort());
  let count = 0;
  const closed = await observe(
    usableSocket(socket),
    (picture) => {
      if (stop.signal.aborted) return;
      process.stdout.write(json ? document(picture) : text(picture));
      if (++count >= iterations) stop.abort();
    },
    stop.signal,
  );
  if (stop.signal.aborted) return;
  throw new VmcallError(
    'HOST_AGENT_GONE',
    `the host agent ended it with ${closed.code}: ${closed.reason || 'no reason given'}`,
    "See the host agent's log",
    exitCodes.failed,
  );
}

const document = (picture: Picture) =>
  `${JSON.stringify({ format: 'vmcall-top', version: 1, at: new Date().toISOString(), ...picture })}\n`;

const text = (picture: Picture) =>
  `${[summaryLine(picture, clock(new Date())), ...table(picture, 'name', batchWidth).map((line) => line.text)].join('\n')}\n\n`;

async function interactive({ socket, iterations = Number.POSITIVE_INFINITY }: TopOptions): Promise<void> {
  const stop = new AbortController();
  const state: Omit<ScreenState, 'clock'> = {
    picture: undefined,
    sorting: 'name',
    scroll: 0,
    notice: undefined,
  };
  const draw = () =>
    terminal.draw(screen({ ...state, clock: clock(new Date()) }, terminal.width, terminal.height));
  const onKey = (key: Key) => {
    press(key, state, terminal.height, () => stop.abort());
    draw();
  };
  const terminal = new Terminal(onKey, draw, () => stop.abort());
  let count = 0;
  const onPicture = (picture: Picture) => {
    if (stop.signal.aborted) return;
    // Not before there is something to show: what fails at first is said on the terminal as it is.
    if (count++ === 0) terminal.open();
    Object.assign(state, { picture, notice: undefined });
    draw();
    if (count >= iterations) stop.abort();
  };
  try {
    while (!stop.signal.aborted) {
      try {
        const { code, reason } = await observe(usableSocket(socket), onPicture, stop.signal);
        state.notice = `the connection to the host agent ended (${reason || code}); retrying`;
      } catch (error) {
        if (count === 0) throw error;
        state.notice = 'no answer from the host agent; retrying';
      }
      draw();
      await delay(retryMs, undefined, { signal: stop.signal }).catch(() => {});
    }
  } finally {
    terminal.close();
  }
}

function press(key: Key, state: Omit<ScreenState, 'clock'>, height: number, quit: () => void): void {
  const most = Math.max(0, (state.picture?.domains.length ?? 0) - 1);
  const scrolled: Record<string, number> = {
    up: -1,
    down: 1,
    'page-up': 5 - height,
    'page-down': height - 5,
  };
  const sorting = sortings.find((name) => key === { name: 'n', rate: 'r', p99: 'l' }[name]);
  if (key === 'q' || key === 'Q') quit();
  else if (sorting) state.sorting = sorting;
  else state.scroll = Math.min(most, Math.max(0, state.scroll + (scrolled[key] ?? 0)));
}
