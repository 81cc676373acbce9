// SPDX-License-Identifier: Apache-2.0
import { closeSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import {
  type HostAddress,
  type HostSession,
  openHostSession,
} from '../../guest-agent/session/host-session.js';
import type { Path } from '../protocol/fields.js';
import type { Health, Report } from '../protocol/messages.js';
import { RequestError } from '../session/request-error.js';
import type { Handlers } from '../session/responder.js';
import { countersAt, type WakeSamples } from './wake-samples.js';

const healthMs = 5_000;

/**
 * A guest as the host agent sees it: the guest agent's own session code; its dataplane makes the wakes that
 * `samples` holds, and one VM call each report, which it counts where KVM would.
 */
export class StandInGuest {
  #path: Path = 'injected';
  #session: HostSession | undefined;
  #measurement: { id: string; sequence: number; began: number; timer: NodeJS.Timeout } | undefined;
  #total: Report['wake_latency']['total'] = { count: 0, min: null, max: 0, sum: 0 };
  #yields = 0;
  readonly #stop = new AbortController();
  readonly #health: NodeJS.Timeout;

  constructor(
    private readonly address: HostAddress,
    private readonly kvm: string,
    private readonly samples: WakeSamples,
  ) {
    this.#health = setInterval(() => this.#tell(), healthMs);
  }

  /** Connects; resolves when there is a session. @returns how it ended, when it does */
  async connect(): Promise<{ closed: HostSession['closed'] }> {
    const session = await openHostSession(this.address, this.#handlers, () => {}, this.#stop.signal);
    this.#session = session;
    this.#tell();
    return { closed: session.closed };
  }

  stop(): void {
    clearInterval(this.#health);
    clearInterval(this.#measurement?.timer);
    this.#stop.abort();
  }

  readonly #handlers: Handlers = {
    'set-path': async ({ path }) => {
      const switched = path !== this.#path;
      this.#path = path;
      if (path === 'vmcall') this.#yield();
      return { path, idle_threshold_us: 300, switched };
    },
    'get-health': async () => this.#state(),
    'start-measurement': async ({ measurement: id, interval_ms: interval }) => {
      if (this.#measurement) throw new RequestError('BUSY');
      const timer = setInterval(() => this.#report(), interval);
      this.#measurement = { id, sequence: 0, began: performance.now(), timer };
      this.#total = { count: 0, min: null, max: 0, sum: 0 };
      return { path: this.#path };
    },
    'stop-measurement': async ({ measurement: id }) => {
      if (this.#measurement?.id !== id) throw new RequestError('NO_MEASUREMENT');
      this.#report();
      const { sequence: reports, timer } = this.#measurement;
      clearInterval(timer);
      this.#measurement = undefined;
      return { reports };
    },
  };

  #report(): void {
    const measurement = this.#measurement;
    if (!measurement) return;
    if (this.#path === 'vmcall') this.#yield();
    const { count, min, max, sum, histogram } = this.samples.next();
    const before = this.#total;
    this.#total = {
      count: before.count + count,
      min: Math.min(before.min ?? min, min),
      max: Math.max(before.max, max),
      sum: before.sum + sum,
    };
    this.#session?.send({
      type: 'report',
      measurement: measurement.id,
      sequence: ++measurement.sequence,
      elapsed_us: Math.round((performance.now() - measurement.began) * 1000),
      path: this.#path,
      wake_latency: { unit: 'ns', delta: { count, histogram }, total: this.#total },
      counters: countersAt(this.#total.count),
    });
  }

  /** In place: the host agent must not read half a number. */
  #yield(): void {
    const file = openSync(join(this.kvm, 'vcpu_yields'), 'r+');
    writeSync(file, String(++this.#yields).padStart(9, '0'), 0);
    closeSync(file);
  }

  #tell(): void {
    this.#session?.send({ type: 'health', health: this.#state() });
  }

  #state(): Health {
    return {
      dataplane: 'running',
      wanted: this.#path,
      path: this.#path,
      upheld: true,
      reason: null,
      idle_threshold_us: 300,
      restarts: 0,
      version: 'stand-in',
    };
  }
}
