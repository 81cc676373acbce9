// SPDX-License-Identifier: Apache-2.0
// A guest as the host agent sees it: the guest agent's own session code over TLS, and for a dataplane a few lines that
// keep to KVM's switch and counter in a folder of files as the real one keeps to KVM.
import { closeSync, openSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { HostAddress } from '../../../guest-agent/session/host-session.js';
import { SessionKeeper } from '../../../guest-agent/session/session-keeper.js';
import type { Path } from '../../../src/protocol/fields.js';
import type { Health } from '../../../src/protocol/messages.js';
import { RequestError } from '../../../src/session/request-error.js';
import type { Handlers } from '../../../src/session/responder.js';
import { createLog } from '../../../src/support/log.js';
import { StandInMeasuring } from './stand-in-measuring.js';

const tickMs = 50;

export class StandInGuest {
  path: Path = 'injected';
  wanted: Path = 'injected';
  /** Each path it was asked to switch to, in order. */
  readonly told: Path[] = [];
  /** Refuses vmcall, as a guest without the msr module does. */
  refuses = false;
  /** Says that it is on vmcall and makes no VM call. */
  lies = false;
  /** Says that it took a path up and stays where it is. */
  ignores = false;
  /** Called when it is asked for a path, before it does anything. */
  onTold: (path: Path) => void | Promise<void> = () => {};
  dataplane: Health['dataplane'] = 'running';
  reason: Health['reason'] = null;
  /** What it measures; nothing until a test says so. */
  readonly measuring = new StandInMeasuring(
    () => this.path,
    (report) => !this.#isFrozen && this.#keeper.send(report),
  );
  #isFrozen = false;
  /** Called each 50 ms. */
  onTick: () => void = () => {};
  readonly #keeper: SessionKeeper;
  readonly #timer: NodeJS.Timeout;

  /** @param kvm the VM's folder in the stand-in sysfs */
  constructor(
    address: HostAddress,
    private readonly kvm: () => string,
  ) {
    const handlers: Handlers = {
      'set-path': async ({ path }) => this.#setPath(path),
      'get-health': async () => this.#health(),
      ...this.measuring.handlers,
    };
    this.#keeper = new SessionKeeper({
      address,
      handlers,
      log: createLog('stand-in', { write: () => {} }),
      onOpen: () => this.tell(),
      onLost: () => void this.measuring.end(),
      least: 50,
      most: 200,
    });
    this.#keeper.start();
    this.#timer = setInterval(() => this.#tick(), tickMs);
  }

  tell(): void {
    if (!this.#isFrozen) this.#keeper.send({ type: 'health', health: this.#health() });
  }

  /** Its dataplane ended and began again. */
  restart(): void {
    const measurement = this.measuring.end();
    if (measurement)
      this.#keeper.send({ type: 'measurement-ended', measurement, code: 'DATAPLANE_RESTARTED', message: '' });
  }

  /** As after a restart of its dataplane or a reboot. */
  reboot(): void {
    this.path = 'injected';
    this.wanted = 'injected';
    this.reason = null;
    this.tell();
  }

  /** It says nothing any more; its connection stays. */
  freeze(): void {
    this.#isFrozen = true;
  }

  thaw(): void {
    this.#isFrozen = false;
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#keeper.stop();
  }

  get #isAllowed(): boolean {
    return this.#read('vcpu_yield') === 1;
  }

  #read(file: string): number {
    return Number(readFileSync(join(this.kvm(), file), 'utf8'));
  }

  /** In place: a file that is written again is empty for a moment, which no kernel's is. */
  #count(): void {
    for (const counter of ['vcpu_yields', 'doorbell_rings']) {
      const file = openSync(join(this.kvm(), counter), 'r+');
      writeSync(file, String(this.#read(counter) + 1).padStart(9, '0'), 0);
      closeSync(file);
    }
  }

  async #setPath(path: Path) {
    this.told.push(path);
    await this.onTold(path);
    const before = this.path;
    if (path === 'vmcall' && (this.refuses || !this.#isAllowed)) {
      const reason = this.refuses ? 'ENOENT' : 'EOPNOTSUPP';
      throw new RequestError('PATH_REFUSED', 'it cannot', { reason, path: before });
    }
    if (!this.ignores) {
      if (path !== before) this.measuring.count({ policy_switches: 1 });
      this.path = path;
      this.wanted = path;
      this.reason = null;
      this.tell();
    }
    return { path, idle_threshold_us: 300, switched: before !== path };
  }

  /** What the dataplane does by itself: yields, and goes back to interrupts when it may not. */
  #tick(): void {
    this.onTick();
    if (this.path !== 'vmcall' || this.lies || this.dataplane !== 'running') return;
    try {
      if (this.#isAllowed) {
        this.#count();
        return;
      }
      this.path = 'injected';
      this.reason = { code: 'EOPNOTSUPP', message: 'switched off for this VM' };
      this.tell();
    } catch {
      // The VM and its folder are gone.
    }
  }

  #health(): Health {
    const isRunning = this.dataplane === 'running';
    const path = isRunning ? this.path : null;
    return {
      dataplane: this.dataplane,
      wanted: this.wanted,
      path,
      upheld: isRunning && path === this.wanted,
      reason: this.reason,
      idle_threshold_us: isRunning ? 300 : null,
      restarts: 0,
      version: null,
    };
  }
}
