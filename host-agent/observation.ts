// SPDX-License-Identifier: Apache-2.0
import type { Log } from '../src/support/log.js';
import type { HostConfiguration } from './configuration.js';
import { hostCertificate } from './enrolment/certificate.js';
import { Listening } from './listening.js';
import { isLoopback, type Listener } from './live/listener.js';
import { LiveFigures } from './live/live-figures.js';
import type { Memory } from './live/observed-domain.js';
import { Observers } from './live/observers.js';
import { Metrics } from './metrics/registry.js';
import { listenForScrapes } from './metrics/server.js';
import { listenForBrowsers } from './web/server.js';
import { observerToken } from './web/token.js';

type Wanted = Pick<HostConfiguration, 'metrics' | 'web' | 'state'>;

/** All that the agent is observed by: observers, the page, `/metrics`. None of it can change anything. */
export class Observation {
  readonly live: LiveFigures;
  readonly observers: Observers;
  readonly #metrics: Metrics;
  #listeners: Listener[] = [];
  #listenings: Listening[] = [];
  #wanted: Wanted | undefined;

  constructor(
    memory: Memory,
    private readonly log: Log,
  ) {
    this.live = new LiveFigures(memory);
    this.observers = new Observers(
      () => this.live.picture(),
      (error) => log.error({ err: error }, 'the observers cannot be shown anything'),
      (isObserved) => void this.live.observe(isObserved),
    );
    this.#metrics = new Metrics(this.live);
  }

  /** Where it cannot listen, and why. */
  get unheard(): readonly Pick<Listening, 'what' | 'problem'>[] {
    return this.#listenings;
  }

  /** Listens as the configuration has it; where it cannot yet, it keeps retrying. */
  async start(wanted: Wanted): Promise<void> {
    this.#wanted = wanted;
    this.#listenings = this.#newListenings(wanted);
    await Promise.all(this.#listenings.map((listening) => listening.start()));
  }

  /** Listens as the configuration has it now; what fails leaves all as it was. @throws VmcallError */
  async listen(wanted: Wanted): Promise<void> {
    const before = this.#wanted;
    await this.stop();
    const listenings = this.#newListenings(wanted);
    try {
      for (const listening of listenings) await listening.once();
      this.#listenings = listenings;
      this.#wanted = wanted;
    } catch (error) {
      await this.stop();
      if (before) await this.start(before);
      throw error;
    }
  }

  #newListenings(wanted: Wanted): Listening[] {
    return [
      new Listening('metrics', () => this.#openMetrics(wanted), this.log),
      new Listening('web', () => this.#openWeb(wanted), this.log),
    ];
  }

  async #openMetrics({ metrics }: Wanted): Promise<void> {
    if (!metrics) return;
    const listener = await listenForScrapes(metrics, this.#metrics, this.log);
    this.#listeners.push(listener);
    this.log.info({ metrics: { ...metrics, port: listener.port } }, 'listening for scrapes');
  }

  async #openWeb({ web, state }: Wanted): Promise<void> {
    if (!web) return;
    const pem = isLoopback(web.address) ? undefined : (await hostCertificate(state.folder)).pem;
    const token = await observerToken(state.folder);
    const listener = await listenForBrowsers({ ...web, pem, token, observers: this.observers });
    this.#listeners.push(listener);
    this.log.info({ web: { ...web, port: listener.port }, tls: pem !== undefined }, 'listening for browsers');
  }

  /** Together: a server takes no more at once, and ends with its last observer. */
  async stop(): Promise<void> {
    await Promise.all(this.#listenings.splice(0).map((listening) => listening.stop()));
    const stopped = this.#listeners.splice(0).map((listener) => listener.stop());
    await Promise.all([...stopped, this.observers.stop()]);
  }
}
