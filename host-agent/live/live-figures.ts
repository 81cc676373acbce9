// SPDX-License-Identifier: Apache-2.0
import type { LiveMessage } from '../../src/protocol/live.js';
import type { GuestSession } from '../guest-sessions/guest-session.js';
import { GuestFigures } from './figures.js';
import { GuestFeed } from './guest-feed.js';
import type { Memory, ObservedDomain } from './observed-domain.js';
import { drawPicture } from './picture.js';

/** What the guests report all the time, beside what the agent remembers of their domains. */
export class LiveFigures {
  readonly #figures = new Map<string, GuestFigures>();
  readonly #feeds = new Set<GuestFeed>();
  #measures = true;
  #isObserved = false;
  #sequence = 0;

  constructor(private readonly memory: Memory) {}

  get libvirtConnected(): boolean {
    return this.memory.libvirt.connected;
  }

  get unheard(): Memory['unheard'] {
    return this.memory.unheard;
  }

  get certificateExpires(): number | undefined {
    return this.memory.certificateExpires;
  }

  /** A session began. */
  follow(session: GuestSession): void {
    for (const uuid of this.#figures.keys()) if (!this.memory.knows(uuid)) this.#figures.delete(uuid);
    const figures = this.#figures.get(session.domain) ?? new GuestFigures();
    this.#figures.set(session.domain, figures);
    const feed = new GuestFeed(session, figures, this.#measures, this.#isObserved);
    this.#feeds.add(feed);
    session.once('closed', () => this.#feeds.delete(feed));
  }

  /** Whether guests measure all the time, or for a run alone. */
  async measure(measures: boolean): Promise<void> {
    this.#measures = measures;
    await Promise.all([...this.#feeds].map((feed) => feed.turn(measures)));
  }

  /** Whether somebody looks on: the wakes of injected interrupts, which cost the host a trace, are timed only then. */
  async observe(isObserved: boolean): Promise<void> {
    this.#isObserved = isObserved;
    await Promise.all([...this.#feeds].map((feed) => feed.observe(isObserved)));
  }

  observed(): ObservedDomain[] {
    return this.memory
      .recall()
      .map((recalled) => ({ ...recalled, figures: this.#figures.get(recalled.status.uuid) }));
  }

  /** For observers, in parts. */
  picture(): LiveMessage[] {
    const head = { sequence: ++this.#sequence, libvirt: this.libvirtConnected };
    return drawPicture(this.observed(), head, performance.now());
  }
}
