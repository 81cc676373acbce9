// SPDX-License-Identifier: Apache-2.0
import { TokenBucket } from '../src/session/token-bucket.js';
import type { Log } from '../src/support/log.js';

/** Lines that one guest can cause: so many at once, so many a second after that. */
const burst = 30;
const perSecond = 0.5;

/** The bounded log of each domain: whatever part of the agent its guest has write lines, its share is one. */
export class DomainLogs {
  readonly #logs = new Map<string, DomainLog>();

  constructor(private readonly log: Log) {}

  of(domain: string): DomainLog {
    const log = this.#logs.get(domain) ?? boundedLog(this.log.child({ domain }));
    this.#logs.set(domain, log);
    return log;
  }
}

/** What of a log is used for a domain. */
export type DomainLog = Pick<Log, 'info' | 'warn' | 'error'>;

/**
 * A log whose lines a guest can cause. What is above its share is counted, and the count logged with the next line that
 * fits: a guest's flood is not the host's.
 */
export function boundedLog(log: Log, now: () => number = () => performance.now()): DomainLog {
  const lines = new TokenBucket(perSecond, burst, now());
  let leftOut = 0;
  const bounded =
    (level: keyof DomainLog) =>
    (values: Record<string, unknown>, message: string): void => {
      if (!lines.take(now())) {
        leftOut++;
        return;
      }
      const more = leftOut > 0 ? { lines_left_out: leftOut } : {};
      leftOut = 0;
      log[level]({ ...values, ...more }, message);
    };
  return { info: bounded('info'), warn: bounded('warn'), error: bounded('error') } as DomainLog;
}
