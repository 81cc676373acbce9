// SPDX-License-Identifier: Apache-2.0
import type { HostAddress } from '../../guest-agent/session/host-session.js';
import type { BenchDomain } from './stand-in-host.js';

/** What the bench's processes say to each other, over Node.js's own channel between parent and child. */

/** What the host agent's process says of itself. Times in ms, sizes in bytes. */
export interface AgentFigures {
  /** Since the last reset, as perf_hooks.monitorEventLoopDelay() counts it: what it waits for on purpose is in it. */
  eventLoopDelay: { p50: number; p99: number; max: number };
  /** Of the process, since it began. */
  cpuMs: number;
  rss: number;
  /** The most there ever was (getrusage(2), ru_maxrss). */
  peakRss: number;
}

export type ToAgent = 'figures' | 'reset';
export type FromAgent = { figures: AgentFigures };

export interface GuestsOrder {
  url: string;
  fingerprint: string;
  guests: readonly BenchDomain[];
  /** Wakes in a report of one second. */
  wakes: number;
}
export type FromGuests =
  /** Every guest has its session. */
  | { type: 'open' }
  /** A session ended, or could not be had. */
  | { type: 'lost'; uuid: string; why: string };

/** A guest's own address on loopback: the host agent bounds connections by address, and each guest has its own. */
export function guestAddress(index: number): NonNullable<HostAddress['from']> {
  return `127.${1 + (index >> 16)}.${(index >> 8) & 255}.${1 + ((index & 255) % 254)}`;
}
