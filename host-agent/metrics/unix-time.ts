// SPDX-License-Identifier: Apache-2.0

/** Above the jitter between two readings of two clocks, ms: beyond it the wall clock was set. */
const setByMs = 100;

const offset = () => Date.now() - performance.now();
let known = offset();

/**
 * When that was, Unix time, s. Ages are kept by a clock that is never set, and turned into the wall's as it stands now: a
 * clock that is set afterwards changes none.
 * @param at ms, of `performance.now()`
 */
export function unixTime(at: number): number {
  const now = offset();
  // The same moment is the same number at each scrape.
  if (Math.abs(now - known) > setByMs) known = now;
  return (known + at) / 1000;
}
