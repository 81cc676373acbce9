// SPDX-License-Identifier: Apache-2.0
import { TokenBucket } from '../../src/session/token-bucket.js';

/** Traces of one domain that begin: so many at once, so many a second after that. */
const burst = 5;
const perSecond = 0.5;

/** Those that began one recently. */
const buckets = new Map<string, TokenBucket>();

/**
 * May the interrupts of this domain be traced once more? Each beginning and end patches code on every CPU of the host, and
 * a guest says itself when its path changes.
 * @param now ms of a clock that never goes back
 */
export function mayTrace(domain: string, now: number): boolean {
  for (const [one, bucket] of buckets) if (bucket.isFull(now)) buckets.delete(one);
  const bucket = buckets.get(domain) ?? new TokenBucket(perSecond, burst, now);
  buckets.set(domain, bucket);
  return bucket.take(now);
}
