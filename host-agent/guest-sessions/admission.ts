// SPDX-License-Identifier: Apache-2.0
import { TokenBucket } from '../../src/session/token-bucket.js';

export interface AdmissionLimits {
  /** Connections at all. */
  connections: number;
  /** Connections of one address, of IPv6 of one /64, that have not shown a secret yet. */
  perAddress: number;
  /** Connections that have not shown a secret yet. */
  unauthenticated: number;
  /** New connections of one address or /64 in a second, and at once: each costs a TLS handshake. */
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

export type AdmissionRefusal = 'connections' | 'per-address' | 'unauthenticated' | 'rate';

/** Addresses whose rate is remembered; above it, a new address must wait until an old one is forgotten. */
const rememberedAddresses = 4096;

/** Counts connections and says which may stay. No I/O: a connection is an address and a token of its own. */
export class Admission {
  readonly #addresses = new Map<string, number>();
  readonly #rates = new Map<string, TokenBucket>();
  /** Addresses that showed a secret once, in the order of the last time. */
  readonly #known = new Set<string>();
  #connections = 0;
  #unauthenticated = 0;

  constructor(private readonly limits: AdmissionLimits) {}

  get connections(): number {
    return this.#connections;
  }

  /**
   * A connection of this address begins at `now` (ms). Why not, or the place it takes. Who has shown a secret from there
   * before is not kept out by others: neither by how many they are, nor by what the rest of its network does.
   */
  enter(address: string, now: number): AdmissionRefusal | Place {
    const isKnown = this.#known.has(address);
    const from = isKnown ? address : networkOf(address);
    const held = this.#addresses.get(from) ?? 0;
    if (!isKnown && this.#connections >= this.limits.connections) return 'connections';
    if (held >= this.limits.perAddress) return 'per-address';
    if (!isKnown && this.#unauthenticated >= this.limits.unauthenticated) return 'unauthenticated';
    if (!this.#mayConnect(from, now)) return 'rate';
    this.#connections++;
    this.#unauthenticated++;
    this.#addresses.set(from, held + 1);
    let isDone = false;
    let left = false;
    const done = () => {
      if (isDone) return;
      isDone = true;
      this.#unauthenticated--;
      const rest = (this.#addresses.get(from) ?? 1) - 1;
      if (rest === 0) this.#addresses.delete(from);
      else this.#addresses.set(from, rest);
    };
    const leave = () => {
      if (left) return;
      left = true;
      done();
      this.#connections--;
    };
    const authenticate = () => {
      done();
      this.#remember(address);
    };
    return { authenticate, leave };
  }

  #remember(address: string): void {
    this.#known.delete(address);
    this.#known.add(address);
    const [oldest] = this.#known;
    if (this.#known.size > rememberedAddresses && oldest !== undefined) this.#known.delete(oldest);
  }

  #mayConnect(address: string, now: number): boolean {
    let rate = this.#rates.get(address);
    if (!rate) {
      if (this.#rates.size >= rememberedAddresses) this.#forgetQuiet(now);
      if (this.#rates.size >= rememberedAddresses && !this.#known.has(address)) return false;
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

/** What one peer can have as many addresses of as it likes: an IPv6 /64; an IPv4 address is itself. */
export function networkOf(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (mapped !== undefined) return mapped;
  if (!address.includes(':')) return address;
  const [head = '', tail] = (address.split('%')[0] ?? '').split('::');
  const words = head.split(':').filter((word) => word !== '');
  const behind = tail === undefined ? [] : tail.split(':').filter((word) => word !== '');
  const zeros = tail === undefined ? [] : Array.from({ length: 8 - words.length - behind.length }, () => '0');
  const all = [...words, ...zeros, ...behind]
    .slice(0, 4)
    .map((word) => Number.parseInt(word, 16).toString(16));
  return `${all.join(':')}::/64`;
}
