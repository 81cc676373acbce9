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

/** Which of them it is; in the same time whether or not there is anything to compare with. */
export function matchingHash(given: string, stored: readonly Buffer[]): Buffer | undefined {
  const hash = hashSecret(given);
  const equal = [...stored, decoy].map((one) => timingSafeEqual(hash, one));
  return stored.find((_one, at) => equal[at]);
}

/** As matchingHash(), of one. */
export const secretMatches = (given: string, stored: Buffer) => matchingHash(given, [stored]) !== undefined;
