// SPDX-License-Identifier: Apache-2.0
import { constants } from 'node:os';
import type { Progress } from '../support/progress.js';

/** A second Ctrl-C within this time is the same one: npm and the terminal both tell us. */
const sameMs = 1_000;

/** As shells have it: 128 and the signal's number. */
export const exitCodeOf = (signal: NodeJS.Signals) => 128 + constants.signals[signal];

/** From now on SIGINT, SIGTERM and SIGHUP end the work in hand, not the process; Ctrl-C once more ends that too. */
export function stopBySignal(progress: Progress): {
  signal: AbortSignal;
  by: () => NodeJS.Signals | undefined;
} {
  const controller = new AbortController();
  let by: NodeJS.Signals | undefined;
  let at = 0;
  const onSignal = (signal: NodeJS.Signals) => {
    if (by === undefined) {
      by = signal;
      at = performance.now();
      progress.step(`${signal}: ending, and keeping what was measured`);
      controller.abort();
    } else if (signal === 'SIGINT' && performance.now() - at > sameMs) process.exit(exitCodeOf(signal));
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, onSignal);
  return { signal: controller.signal, by: () => by };
}
