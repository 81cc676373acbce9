// SPDX-License-Identifier: Apache-2.0
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';

const secretBytes = 32;

/** A new secret of a guest: 256 random bits as 43 characters of base64url. */
export function issueSecret(): string {
  return randomBytes(secretBytes).toString('base64url');
}

/** What is kept of a secret. A slow hash would add nothing: nobody can try 2^256 of them. */
export function hashSecret(secret: string): Buffer {
  return createHash('sha256').update(secret, 'utf8').digest();
}

const decoy = hashSecret('');

/** In the same time whether or not there is anything to compare with. */
export function secretMatches(given: string, stored: Buffer | undefined): boolean {
  const equal = timingSafeEqual(hashSecret(given), stored ?? decoy);
  return equal && stored !== undefined;
}
