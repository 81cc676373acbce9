// SPDX-License-Identifier: Apache-2.0
import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import { wakeReasons } from '../../src/protocol/live.js';
import { packageVersion } from '../../src/support/package-version.js';
import type { DomainStatus } from '../control/schema.js';
import type { Live, Watched } from '../live/live.js';
import { type WakeLatency, wakeLatencyText } from './wake-latency.js';

/**
 * How often the event loop is woken to see how late it is, ms; it is in each value. prom-client's usual 10 ms would be a
 * tenth of what the agent takes with 50 guests.
 */
const lagEveryMs = 100;
/** Of the library's own metrics those that say how the agent fares. */
const ownMetrics = /^(process_|nodejs_eventloop_lag_|nodejs_gc_|nodejs_version_info)/;

const usPerSecond = 1e6;

/** The dataplane's counters as they are told; all come from the guest's reports. */
const counters: readonly { name: string; counter: string; help: string; unit?: number }[] = [
  { name: 'vmcall_received_packets_total', counter: 'rx', help: 'Packets the dataplane received.' },
  {
    name: 'vmcall_transmitted_packets_total',
    counter: 'tx',
    help: 'Packets the dataplane handed to the NIC.',
  },
  {
    name: 'vmcall_dropped_packets_total',
    counter: 'tx_dropped',
    help: 'Packets the TX ring had no room for.',
  },
  { name: 'vmcall_waits_total', counter: 'waits', help: 'Sleeps: interrupt waits or vCPU yields.' },
  {
    name: 'vmcall_immediate_waits_total',
    counter: 'waits_immediate',
    help: 'Yields that a doorbell from before the call answered at once.',
  },
  {
    name: 'vmcall_packetless_waits_total',
    counter: 'waits_without_packet',
    help: 'Wakes after which the RX ring was empty.',
  },
  {
    name: 'vmcall_waited_seconds_total',
    counter: 'waited_us',
    unit: usPerSecond,
    help: 'Time the dataplane was asleep.',
  },
  {
    name: 'vmcall_path_switches_total',
    counter: 'policy_switches',
    help: 'Path switches asked for and done.',
  },
  {
    name: 'vmcall_fallbacks_total',
    counter: 'fallbacks',
    help: "The dataplane's own ways back to interrupts.",
  },
  {
    name: 'vmcall_clock_errors_total',
    counter: 'ring_clock_errors',
    help: 'Doorbells that rang in the future: host and guest disagree about the TSC.',
  },
];

/**
 * What `/metrics` says, from the agent's memory alone: no guest, no libvirt and no kernel is asked for it, so that none
 * can fail or delay a scrape. How old each part is, is told beside it.
 */
export class Metrics {
  readonly #registry = new Registry();
  readonly contentType = this.#registry.contentType;

  constructor(private readonly live: Live) {
    collectDefaultMetrics({ register: this.#registry, eventLoopMonitoringPrecision: lagEveryMs });
    for (const { name } of this.#registry.getMetricsAsArray())
      if (!ownMetrics.test(name)) this.#registry.removeSingleMetric(name);
    this.#agent();
    this.#domains();
    this.#guests();
  }

  async text(): Promise<string> {
    const latencies = this.live
      .watched()
      .flatMap(({ status, figures }) =>
        [...(figures?.latency ?? [])].map(([path, sum]): WakeLatency => ({ domain: status.uuid, path, sum })),
      );
    return `${await this.#registry.metrics()}\n${wakeLatencyText(latencies)}`;
  }

  #agent(): void {
    this.#gauge('vmcall_host_agent_info', 'The host agent.', ['version'], (set) =>
      set({ version: packageVersion }, 1),
    );
    this.#gauge('vmcall_libvirt_up', 'There is a connection to libvirt.', [], (set) =>
      set({}, Number(this.live.libvirtConnected)),
    );
  }

  #domains(): void {
    const { live } = this;
    this.#gauge(
      'vmcall_domain_info',
      'A libvirt domain: its UUID, which the other metrics go by, and its name.',
      ['domain', 'name'],
      (set) => {
        for (const { status } of live.watched()) set({ domain: status.uuid, name: status.name }, 1);
      },
    );
    this.#states(
      'vmcall_domain_state',
      'state',
      ['running', 'paused', 'off'],
      'Does it run?',
      ({ status }) => status.domain,
    );
    this.#states(
      'vmcall_domain_desired_path',
      'path',
      ['vmcall', 'injected'],
      'The path its metadata wants.',
      ({ status }) => status.desired,
    );
    this.#states(
      'vmcall_domain_actual_path',
      'path',
      ['vmcall', 'injected', 'poll', 'unknown', 'off'],
      'The path that packets take, as far as the kernel bears the guest out.',
      ({ status }) => status.actual,
    );
    this.#states(
      'vmcall_domain_phase',
      'phase',
      ['reached', 'moving', 'blocked'],
      'How far it is on its way to the desired path.',
      ({ status }) => status.phase,
    );
    this.#each(
      'vmcall_domain_look_timestamp_seconds',
      'When the domain was last looked at, Unix time.',
      ({ lookedAt }) => lookedAt / 1000,
    );
    const fromKvm = (name: string, help: string, read: (kvm: DomainStatus['kvm']) => number | null) =>
      this.#sum(
        name,
        `${help}, since the VM began, at the last look.`,
        ({ status }) => read(status.kvm) ?? undefined,
      );
    fromKvm('vmcall_kvm_yields_total', 'VM calls that KVM counted', ({ yields }) => yields);
    fromKvm('vmcall_kvm_doorbell_rings_total', 'Doorbells that KVM saw rung', ({ rings }) => rings);
  }

  #guests(): void {
    const { live } = this;
    this.#each('vmcall_guest_session_up', 'There is a session with its guest agent.', ({ status }) =>
      Number(status.guest !== null),
    );
    this.#each(
      'vmcall_guest_dataplane_up',
      'Its dataplane runs, as the guest agent last told.',
      ({ status }) => Number(status.guest?.health?.dataplane === 'running'),
    );
    this.#counter(
      'vmcall_guest_dataplane_restarts_total',
      'Times the guest agent started its dataplane again.',
      ['domain'],
      (add) => {
        for (const { status } of live.watched())
          if (status.guest?.health) add({ domain: status.uuid }, status.guest.health.restarts);
      },
    );
    this.#each(
      'vmcall_guest_report_timestamp_seconds',
      "When the guest's last report came, Unix time.",
      ({ figures }) => (figures?.at === undefined ? undefined : (performance.timeOrigin + figures.at) / 1000),
    );
    this.#sum('vmcall_guest_reports_total', 'Reports that came.', ({ figures }) => figures?.reports);
    this.#sum(
      'vmcall_guest_missed_reports_total',
      'Reports that were lost or could not be used.',
      ({ figures }) => figures?.missed,
    );
    this.#counter('vmcall_wakes_total', 'Wakes of the dataplane by reason.', ['domain', 'reason'], (add) => {
      for (const { status, figures } of live.watched())
        for (const reason of figures ? wakeReasons : [])
          add({ domain: status.uuid, reason }, figures?.counters.get(`wakes_${reason}`) ?? 0);
    });
    for (const { name, counter, help, unit = 1 } of counters)
      this.#sum(name, help, ({ figures }) => figures && (figures.counters.get(counter) ?? 0) / unit);
  }

  #gauge<L extends string>(
    name: string,
    help: string,
    labelNames: readonly L[],
    collect: (set: (labels: Partial<Record<L, string>>, value: number) => void) => void,
  ): void {
    new Gauge({
      ...{ name, help, labelNames: [...labelNames], registers: [this.#registry] },
      collect() {
        this.reset();
        collect((labels, value) => this.set(labels, value));
      },
    });
  }

  #counter<L extends string>(
    name: string,
    help: string,
    labelNames: readonly L[],
    collect: (add: (labels: Partial<Record<L, string>>, value: number) => void) => void,
  ): void {
    new Counter({
      ...{ name, help, labelNames: [...labelNames], registers: [this.#registry] },
      collect() {
        this.reset();
        collect((labels, value) => this.inc(labels, value));
      },
    });
  }

  /** A series for each domain that has a value. */
  #each(name: string, help: string, read: (watched: Watched) => number | undefined): void {
    this.#gauge(name, help, ['domain'], (set) => {
      for (const watched of this.live.watched()) {
        const value = read(watched);
        if (value !== undefined) set({ domain: watched.status.uuid }, value);
      }
    });
  }

  #sum(name: string, help: string, read: (watched: Watched) => number | undefined): void {
    this.#counter(name, help, ['domain'], (add) => {
      for (const watched of this.live.watched()) {
        const value = read(watched);
        if (value !== undefined) add({ domain: watched.status.uuid }, value);
      }
    });
  }

  /** A series for each state of each domain: 1 for the one it is in, 0 for the others. */
  #states(
    name: string,
    label: string,
    states: readonly string[],
    help: string,
    read: (watched: Watched) => string,
  ): void {
    this.#gauge(name, help, ['domain', label], (set) => {
      for (const watched of this.live.watched()) {
        const is = read(watched);
        for (const state of states)
          set({ domain: watched.status.uuid, [label]: state }, Number(state === is));
      }
    });
  }
}
