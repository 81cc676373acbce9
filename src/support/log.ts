// SPDX-License-Identifier: Apache-2.0
import { type DestinationStream, type Logger, pino, stdSerializers } from 'pino';
import { VmcallError } from './errors.js';

export type Log = Logger;

/** syslog's priorities (RFC 5424), which journald takes from a line's prefix (sd-daemon(3)). */
const priorities: Readonly<Record<string, number>> = {
  fatal: 2,
  error: 3,
  warn: 4,
  info: 6,
  debug: 7,
  trace: 7,
};

/** Lines of this turn of the event loop: a thousand domains that are switched log six each, and each write is a call. */
let waiting = '';

function writeWaiting(): void {
  const text = waiting;
  waiting = '';
  if (text) process.stderr.write(text);
}

/** One line, soon: under systemd with its priority before it. */
function writeLine(line: string): void {
  const level = /"level":"([a-z]+)"/.exec(line)?.[1] ?? 'info';
  const prefix = process.env.JOURNAL_STREAM ? `<${priorities[level] ?? 6}>` : '';
  if (waiting === '') setImmediate(writeWaiting);
  waiting += `${prefix}${line}`;
}

process.on('exit', writeWaiting);

/** Where an ordinary mistake came up in the program helps nobody; a defect's place does. */
function describe(error: Error): object {
  if (!(error instanceof VmcallError)) return stdSerializers.err(error);
  const { code, message, cure } = error;
  return { code, message, cure };
}

/** A daemon's log: a line of JSON an event, on stderr. Secrets never reach it: they are taken out by their key. */
export function createLog(agent: string, stream: DestinationStream = { write: writeLine }): Log {
  return pino(
    {
      base: { agent },
      messageKey: 'message',
      formatters: { level: (label) => ({ level: label }) },
      serializers: { err: describe },
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      redact: { paths: ['secret', '*.secret', 'authorization', '*.authorization'], censor: '[secret]' },
    },
    stream,
  );
}
