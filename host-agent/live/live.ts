// SPDX-License-Identifier: Apache-2.0
import type { LiveMessage } from '../../src/protocol/live.js';
import type { GuestSession } from '../guest-sessions/guest-session.js';
import { GuestFigures } from './figures.js';
import { GuestFeed } from './guest-feed.js';
import { drawPicture } from './picture.js';
import type { Memory, Watched } from './watched.js';

/** What the guests report all the time, beside what the agent remembers of their domains. */
export class Live {
  readonly #figures = new Map<string, GuestFigures>();
  readonly #feeds = new Set<GuestFeed>();
  #measures = true;
  #isWatched = false;
  #sequence = 0;

  constructor(private readonly memory: Memory) {}

  get libvirtConnected(): boolean {
    return this.memory.libvirt.connected;
  }

  get unheard(): Memory['unheard'] {
    return this.memory.unheard;
  }

  /** A session began. */
  follow(session: GuestSession): void {
    for (const uuid of this.#figures.keys()) if (!this.memory.knows(uuid)) this.#figures.delete(uuid);
    const figures = this.#figures.get(session.domain) ?? new GuestFigures();
    this.#figures.set(session.domain, figures);
    const feed = new GuestFeed(session, figures, this.#measures, this.#isWatched);
    this.#feeds.add(feed);
    session.once('closed', () => this.#feeds.delete(feed));
  }

  /** Whether guests measure all the time, or for a run alone. */
  async measure(measures: boolean): Promise<void> {
    this.#measures = measures;
    await Promise.all([...this.#feeds].map((feed) => feed.turn(measures)));
  }

  /** Whether somebody looks on: the wakes of injected interrupts, which cost the host a trace, are timed for him alone. */
  async watch(isWatched: boolean): Promise<void> {
    this.#isWatched = isWatched;
    await Promise.all([...this.#feeds].map((feed) => feed.watch(isWatched)));
  }

  watched(): Watched[] {
    return this.memory
      .recall()
      .map((recalled) => ({ ...recalled, figures: this.#figures.get(recalled.status.uuid) }));
  }

  /** For observers, in parts. */
  picture(): LiveMessage[] {
    const head = { sequence: ++this.#sequence, libvirt: this.libvirtConnected };
    return drawPicture(this.watched(), head, performance.now());
  }
}
