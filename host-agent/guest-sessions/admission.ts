// SPDX-License-Identifier: Apache-2.0
import { TokenBucket } from '../../src/session/token-bucket.js';

export interface AdmissionLimits {
  /** Connections at all. */
  connections: number;
  /** Connections of one address. */
  perAddress: number;
  /** Connections that have not shown a secret yet. */
  unauthenticated: number;
  /** New connections of one address in a second, and at once: each costs a TLS handshake. */
  perSecond: number;
  burst: number;
}

export const usualAdmission: AdmissionLimits = {
  connections: 1024,
  perAddress: 16,
  unauthenticated: 128,
  perSecond: 5,
  burst: 20,
};

export type Refusal = 'connections' | 'per-address' | 'unauthenticated' | 'rate';

/** Addresses whose rate is remembered; above it, a new address must wait until an old one is forgotten. */
const rememberedAddresses = 4096;

/** Counts connections and says which may stay. No I/O: a connection is an address and a token of its own. */
export class Admission {
  readonly #addresses = new Map<string, number>();
  readonly #rates = new Map<string, TokenBucket>();
  #connections = 0;
  #unauthenticated = 0;

  constructor(private readonly limits: AdmissionLimits) {}

  get connections(): number {
    return this.#connections;
  }

  /** A connection of this address begins at `now` (ms). Why not, or the place it takes. */
  enter(address: string, now: number): Refusal | Place {
    const held = this.#addresses.get(address) ?? 0;
    if (this.#connections >= this.limits.connections) return 'connections';
    if (held >= this.limits.perAddress) return 'per-address';
    if (this.#unauthenticated >= this.limits.unauthenticated) return 'unauthenticated';
    if (!this.#mayConnect(address, now)) return 'rate';
    this.#connections++;
    this.#unauthenticated++;
    this.#addresses.set(address, held + 1);
    let authenticated = false;
    let left = false;
    const authenticate = () => {
      if (!authenticated) this.#unauthenticated--;
      authenticated = true;
    };
    const leave = () => {
      if (left) return;
      left = true;
      authenticate();
      this.#connections--;
      const rest = (this.#addresses.get(address) ?? 1) - 1;
      if (rest === 0) this.#addresses.delete(address);
      else this.#addresses.set(address, rest);
    };
    return { authenticate, leave };
  }

  #mayConnect(address: string, now: number): boolean {
    let rate = this.#rates.get(address);
    if (!rate) {
      if (this.#rates.size >= rememberedAddresses) this.#forgetQuiet(now);
      if (this.#rates.size >= rememberedAddresses) return false;
      rate = new TokenBucket(this.limits.perSecond, this.limits.burst, now);
      this.#rates.set(address, rate);
    }
    return rate.take(now);
  }

  #forgetQuiet(now: number): void {
    for (const [address, rate] of this.#rates) if (rate.isFull(now)) this.#rates.delete(address);
  }
}

/** A connection's place among those admitted. */
export interface Place {
  /** It has shown a valid secret. */
  authenticate(): void;
  /** It is gone; may be said twice. */
  leave(): void;
}
