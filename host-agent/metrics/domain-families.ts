// SPDX-License-Identifier: Apache-2.0
import { desiredPathSchema } from '../../src/protocol/fields.js';
import { wakeReasons } from '../../src/protocol/live.js';
import type { ObservedDomain } from '../live/observed-domain.js';
import type { DomainFamily } from './domain-family.js';
import { seriesLine } from './text-format.js';
import { unixTime } from './unix-time.js';
import { wakeLatency } from './wake-latency.js';

/** A series for a domain that has a value. */
const one = (
  type: 'gauge' | 'counter',
  name: string,
  help: string,
  read: (observed: ObservedDomain) => number | null | undefined,
): DomainFamily => ({
  name,
  type,
  help,
  text(observed) {
    const value = read(observed) ?? undefined;
    return value === undefined ? '' : seriesLine(name, { domain: observed.status.uuid }, value);
  },
});

/** A series for each state of a domain: 1 for the one it is in, 0 for the others. */
const states = (
  name: string,
  label: string,
  all: readonly string[],
  help: string,
  read: (observed: ObservedDomain) => string,
): DomainFamily => ({
  name,
  type: 'gauge',
  help,
  text(observed) {
    const is = read(observed);
    const { uuid: domain } = observed.status;
    return all.map((state) => seriesLine(name, { domain, [label]: state }, Number(state === is))).join('');
  },
});

/** One of the dataplane's counters, of the guest's reports. @param unit so many are one of the metric's */
const counter = (name: string, key: string, help: string, unit = 1): DomainFamily =>
  one('counter', name, help, ({ figures }) => figures && (figures.counters.get(key) ?? 0) / unit);

const usPerSecond = 1e6;

export const domainFamilies: readonly DomainFamily[] = [
  {
    name: 'vmcall_domain_info',
    type: 'gauge',
    help: 'A libvirt domain: its UUID, which the other metrics go by, and its name.',
    text: ({ status: { uuid: domain, name } }) => seriesLine('vmcall_domain_info', { domain, name }, 1),
  },
  states(
    'vmcall_domain_state',
    'state',
    ['running', 'paused', 'off'],
    'Does it run?',
    ({ status }) => status.domain,
  ),
  states(
    'vmcall_domain_desired_path',
    'path',
    desiredPathSchema.options,
    'The path its metadata wants.',
    ({ status }) => status.desired,
  ),
  states(
    'vmcall_domain_actual_path',
    'path',
    [...desiredPathSchema.options, 'unknown', 'off'],
    'The path that packets take, as far as the kernel confirms it.',
    ({ status }) => status.actual,
  ),
  states(
    'vmcall_domain_phase',
    'phase',
    ['reached', 'moving', 'blocked'],
    'How far it is on its way to the desired path.',
    ({ status }) => status.phase,
  ),
  one(
    'gauge',
    'vmcall_domain_look_timestamp_seconds',
    'When the domain was last checked, Unix time.',
    ({ lookedAt }) => unixTime(lookedAt),
  ),
  one(
    'counter',
    'vmcall_kvm_yields_total',
    'VM calls that KVM counted, since the VM began, at the last look.',
    ({ status }) => status.kvm.yields,
  ),
  one(
    'counter',
    'vmcall_kvm_doorbell_rings_total',
    'Doorbells that KVM saw rung, since the VM began, at the last look.',
    ({ status }) => status.kvm.rings,
  ),
  one('gauge', 'vmcall_guest_session_up', 'There is a session with its guest agent.', ({ status }) =>
    Number(status.guest !== null),
  ),
  one(
    'gauge',
    'vmcall_guest_dataplane_up',
    'Its dataplane runs, as the guest agent last reported.',
    ({ status }) => Number(status.guest?.health?.dataplane === 'running'),
  ),
  one(
    'counter',
    'vmcall_guest_dataplane_restarts_total',
    'Times the guest agent started its dataplane again.',
    ({ status }) => status.guest?.health?.restarts,
  ),
  one(
    'gauge',
    'vmcall_guest_report_timestamp_seconds',
    "When the guest's last report came, Unix time.",
    ({ figures }) => (figures?.at === undefined ? undefined : unixTime(figures.at)),
  ),
  one('counter', 'vmcall_guest_reports_total', 'Reports that came.', ({ figures }) => figures?.reports),
  one(
    'counter',
    'vmcall_guest_missed_reports_total',
    'Reports that were lost or could not be used.',
    ({ figures }) => figures?.missed,
  ),
  {
    name: 'vmcall_wakes_total',
    type: 'counter',
    help: 'Wakes of the dataplane by reason.',
    text: ({ status: { uuid: domain }, figures }) =>
      (figures ? wakeReasons : [])
        .map((reason) => {
          const value = figures?.counters.get(`wakes_${reason}`) ?? 0;
          return seriesLine('vmcall_wakes_total', { domain, reason }, value);
        })
        .join(''),
  },
  counter('vmcall_received_packets_total', 'rx', 'Packets the dataplane received.'),
  counter('vmcall_transmitted_packets_total', 'tx', 'Packets the dataplane handed to the NIC.'),
  counter('vmcall_dropped_packets_total', 'tx_dropped', 'Packets the TX ring had no room for.'),
  counter('vmcall_waits_total', 'waits', 'Sleeps: interrupt waits or vCPU yields.'),
  counter(
    'vmcall_immediate_waits_total',
    'waits_immediate',
    'Yields that a doorbell from before the call answered at once.',
  ),
  counter(
    'vmcall_packetless_waits_total',
    'waits_without_packet',
    'Wakes after which the RX ring was empty.',
  ),
  counter('vmcall_waited_seconds_total', 'waited_us', 'Time the dataplane was asleep.', usPerSecond),
  counter('vmcall_path_switches_total', 'policy_switches', 'Path switches asked for and done.'),
  counter('vmcall_fallbacks_total', 'fallbacks', "The dataplane's own ways back to interrupts."),
  counter(
    'vmcall_clock_errors_total',
    'ring_clock_errors',
    'Doorbells that rang in the future: host and guest disagree about the TSC.',
  ),
  wakeLatency,
];
