// SPDX-License-Identifier: Apache-2.0
import type { Log } from '../src/support/log.js';
import type { HostConfiguration } from './configuration.js';
import { hostCertificate } from './enrolment/certificate.js';
import { isLoopback, type Listener } from './live/listener.js';
import { Live } from './live/live.js';
import { Observers } from './live/observers.js';
import type { Memory } from './live/watched.js';
import { Metrics } from './metrics/registry.js';
import { listenForScrapes } from './metrics/server.js';
import { listenForBrowsers } from './web/server.js';
import { observerToken } from './web/token.js';

type Wanted = Pick<HostConfiguration, 'metrics' | 'web' | 'state'>;

/** All that others watch the agent by: observers, the page, `/metrics`. None of it can change anything. */
export class Watching {
  readonly live: Live;
  readonly observers: Observers;
  readonly #metrics: Metrics;
  #listeners: Listener[] = [];
  #wanted: Wanted | undefined;

  constructor(
    memory: Memory,
    private readonly log: Log,
  ) {
    this.live = new Live(memory);
    this.observers = new Observers(
      () => this.live.picture(),
      (error) => log.error({ err: error }, 'the observers cannot be shown anything'),
      (isWatched) => void this.live.watch(isWatched),
    );
    this.#metrics = new Metrics(this.live);
  }

  /** Listens as the configuration has it, where it did not before; what fails leaves all as it was. @throws VmcallError */
  async listen(wanted: Wanted): Promise<void> {
    const before = this.#wanted;
    await this.stop();
    try {
      await this.#open(wanted);
    } catch (error) {
      await this.stop();
      if (before) await this.#open(before);
      throw error;
    }
  }

  async #open(wanted: Wanted): Promise<void> {
    const { metrics, web, state } = wanted;
    if (metrics) {
      const listener = await listenForScrapes(metrics, this.#metrics, this.log);
      this.#listeners.push(listener);
      this.log.info({ metrics: { ...metrics, port: listener.port } }, 'listening for scrapes');
    }
    if (web) {
      const pem = isLoopback(web.address) ? undefined : (await hostCertificate(state.folder)).pem;
      const token = await observerToken(state.folder);
      const listener = await listenForBrowsers({ ...web, pem, token, observers: this.observers });
      this.#listeners.push(listener);
      this.log.info(
        { web: { ...web, port: listener.port }, tls: pem !== undefined },
        'listening for browsers',
      );
    }
    this.#wanted = wanted;
  }

  /** Together: a server takes no more at once, and ends with its last observer. */
  async stop(): Promise<void> {
    const stopped = this.#listeners.splice(0).map((listener) => listener.stop());
    await Promise.all([...stopped, this.observers.stop()]);
  }
}
