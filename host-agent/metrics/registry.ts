// SPDX-License-Identifier: Apache-2.0
import { setImmediate as nextTurn } from 'node:timers/promises';
import { collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import { projectVersion } from '../../src/support/version.js';
import type { LiveFigures } from '../live/live-figures.js';
import { domainFamilies } from './domain-families.js';
import { familyHead } from './text-format.js';

/**
 * How often the event loop is woken to see how late it is, ms; it is in each value. prom-client's usual 10 ms would be a
 * tenth of what the agent takes with 50 guests.
 */
const lagEveryMs = 100;
/** Of the library's own metrics those that say how the agent is doing. */
const ownMetrics = /^(process_|nodejs_eventloop_lag_|nodejs_gc_|nodejs_version_info)/;

/** A thousand domains have some 80,000 series: guests are not to wait for their text. */
const domainsATurn = 50;

/**
 * What `/metrics` says, from the agent's memory alone: no guest, no libvirt and no kernel is asked for it, so that none
 * can fail or delay a scrape. How old each part is, is a series of its own.
 */
export class Metrics {
  /** Of the agent itself. */
  readonly #registry = new Registry();
  readonly contentType = this.#registry.contentType;

  constructor(private readonly live: LiveFigures) {
    const registers = [this.#registry];
    collectDefaultMetrics({ register: this.#registry, eventLoopMonitoringPrecision: lagEveryMs });
    for (const { name } of this.#registry.getMetricsAsArray())
      if (!ownMetrics.test(name)) this.#registry.removeSingleMetric(name);
    new Gauge({
      name: 'vmcall_host_agent_info',
      help: 'The host agent.',
      labelNames: ['version'],
      registers,
    }).set({ version: projectVersion }, 1);
    new Gauge({
      name: 'vmcall_libvirt_up',
      help: 'There is a connection to libvirt.',
      registers,
      collect() {
        this.set(Number(live.libvirtConnected));
      },
    });
    new Gauge({
      name: 'vmcall_listening',
      help: 'It listens where the configuration says.',
      labelNames: ['for'],
      registers,
      collect() {
        this.reset();
        for (const { what, problem } of live.unheard) this.set({ for: what }, Number(problem === undefined));
      },
    });
    new Gauge({
      name: 'vmcall_certificate_expiry_timestamp_seconds',
      help: 'When the certificate that is served to guests expires, Unix time.',
      registers,
      collect() {
        if (live.certificateExpires !== undefined) this.set(live.certificateExpires);
      },
    });
  }

  /** Prometheus' text format, all of one moment. */
  async *parts(): AsyncGenerator<string, void> {
    const observed = this.live.observed();
    yield this.#registry.metrics();
    for (const family of domainFamilies) {
      yield `\n${familyHead(family)}`;
      for (let from = 0; from < observed.length; from += domainsATurn) {
        yield observed
          .slice(from, from + domainsATurn)
          .map((one) => family.text(one))
          .join('');
        await nextTurn();
      }
    }
  }
}
