// SPDX-License-Identifier: Apache-2.0

/** irqbalance moves interrupts each ten seconds: after some three minutes it is seen that it will go on. */
const timesMost = 20;
const withinMs = 600_000;

/** Places that another program sets as often as we do: they are left to it for a while, and that is reported. */
export class Contest {
  readonly #times = new Map<string, number[]>();

  /** @param now ms of performance.now() */
  isContested(place: string, now: number): boolean {
    return this.#recent(place, now).length >= timesMost;
  }

  /** It had to be set. */
  count(place: string, now: number): void {
    this.#times.set(place, [...this.#recent(place, now), now]);
  }

  /** Those contested now. */
  places(now: number): string[] {
    return [...this.#times.keys()].filter((place) => this.isContested(place, now));
  }

  #recent(place: string, now: number): number[] {
    const recent = (this.#times.get(place) ?? []).filter((at) => now - at < withinMs);
    if (recent.length === 0) this.#times.delete(place);
    return recent;
  }
}
