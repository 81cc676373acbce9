// SPDX-License-Identifier: Apache-2.0

import { latencyOf, mergeRoundTrips } from '../../results/latency.js';
import {
  type Latency,
  type PathResult,
  type Result,
  resultSchema,
  type Stage,
  type Timeline,
} from '../../results/schema.js';
import { projectVersion } from '../../support/version.js';
import type { LabEvent, PathName, Round, Stages } from '../events.js';
import { judgeTargets } from './targets.js';
import { exitReasonName, isDeviceVector, timerVector } from './x86.js';

const titles: Record<PathName, string> = {
  poll: 'in-VM, polling (the floor)',
  injected: 'in-VM, injected interrupts (threaded VFIO handler, as today)',
  'injected-hard-isr': 'in-VM, injected interrupts (non-threaded VFIO handler)',
  'pv-kick': "in-VM, PV kick (KVM's own; non-threaded VFIO handler where there is one)",
  vmcall: 'in-VM, VM call',
  'native-interrupt': 'host, interrupt mode',
  'native-poll': 'host, polling',
  'l3fwd-power': "in-VM, DPDK's l3fwd-power (injected)",
};
const ours: readonly PathName[] = [
  'poll',
  'injected',
  'injected-hard-isr',
  'pv-kick',
  'vmcall',
  'native-interrupt',
];
/** Measured in each run so that the paths can be judged, not compared with the deck. */
const forReference: readonly PathName[] = ['native-poll', 'l3fwd-power'];

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);

function addUp(records: readonly (Record<string, number> | undefined)[]): Record<string, number> {
  const total: Record<string, number> = {};
  for (const record of records)
    for (const [name, value] of Object.entries(record ?? {})) total[name] = (total[name] ?? 0) + value;
  return total;
}

const round3 = (value: number) => Math.round(value * 1000) / 1000;

function stagesOf({ stages }: Stages): Stage[] {
  return stages.flatMap(({ name, ns }) => (ns.length > 0 ? [{ name, ns: latencyOf(ns) }] : []));
}

function pathResult(name: PathName, rounds: readonly Round[], floor: Latency | undefined): PathResult {
  const measured = rounds.filter((round) => round.pass === 'latency');
  const accounting = rounds.filter((round) => round.pass === 'accounting');
  const handback = rounds.filter((round) => round.pass === 'handback');
  const bursts = measured.map((round) => round.generator);
  const { latency, histogram } = mergeRoundTrips(bursts);
  const total = (key: 'sent' | 'received' | 'lost' | 'duplicate' | 'late' | 'reordered' | 'postponed') =>
    sum(bursts.map((burst) => burst[key]));
  const kvm = addUp(measured.map((round) => round.kvm));
  const packets = sum(measured.map((round) => round.generator.sent + round.generator.warmup));
  const traced = sum(accounting.map((round) => round.generator.sent + round.generator.warmup));
  const exits = addUp(accounting.map((round) => round.trace?.exits));
  const injected = addUp(accounting.map((round) => round.trace?.injected));
  const perTraced = (count: number) => (traced > 0 ? round3(count / traced) : null);
  const busy = handback.flatMap((round) => (round.generator.busy ? [round.generator.busy] : []));
  return {
    name,
    title: titles[name],
    sent: total('sent'),
    received: total('received'),
    lost: total('lost'),
    duplicate: total('duplicate'),
    late: total('late'),
    reordered: total('reordered'),
    postponed: total('postponed'),
    latency_ns: latency,
    latency_histogram: histogram,
    added_ns: floor
      ? {
          min: latency.min - floor.min,
          avg: latency.avg - floor.avg,
          p50: latency.p50 - floor.p50,
          p99: latency.p99 - floor.p99,
          max: latency.max - floor.max,
        }
      : null,
    exits_per_packet: kvm.exits === undefined ? null : round3(kvm.exits / packets),
    exits_by_reason:
      traced > 0
        ? Object.fromEntries(
            Object.entries(exits).map(([reason, count]) => [exitReasonName(reason), round3(count / traced)]),
          )
        : null,
    timer_ticks_per_packet: perTraced(injected[timerVector] ?? 0),
    injected_interrupts_per_packet: perTraced(
      sum(Object.entries(injected).flatMap(([vector, count]) => (isDeviceVector(vector) ? [count] : []))),
    ),
    // The busy process's clock and the wall's are read one after the other: a whole CPU may come out above one.
    cpu_handed_back:
      busy.length > 0
        ? round3(Math.min(1, sum(busy.map((b) => b.cpu_ns)) / sum(busy.map((b) => b.wall_ns))))
        : null,
    wake_latency_ns: measured.at(-1)?.wakeLatency ?? null,
    dataplane: addUp(measured.map((round) => round.dataplane)),
    kvm,
    rounds: measured.map(({ index, generator }) => ({
      index,
      sent: generator.sent,
      received: generator.received,
      latency_ns: mergeRoundTrips([generator]).latency,
      latency_histogram: generator.histogram,
    })),
  };
}

const nsPerS = 1e9;

/** The bursts that were measured one after the other, whatever lay between them; each switches to another path. */
function timelineOf(rounds: readonly Round[]): Timeline | undefined {
  const timeline: Timeline = { points: [], marks: [] };
  let start = 0;
  for (const { path, course } of rounds) {
    const last = course?.at(-1);
    if (!course || !last) continue;
    timeline.marks.push({ at_s: start / nsPerS, kind: 'switch', text: titles[path] });
    for (const { at, length, received, rtt } of course)
      timeline.points.push({
        path,
        at_s: (start + at) / nsPerS,
        length_s: length / nsPerS,
        received,
        latency_ns: rtt,
      });
    start += last.at + last.length;
  }
  return timeline.points.length > 0 ? timeline : undefined;
}

/** What a result says beside its rounds. */
export type RunDescription = Pick<
  Result,
  'made' | 'clock' | 'partial' | 'retries' | 'failed_attempts' | 'traffic' | 'platform' | 'repeat'
>;

/** The result document of one run of the comparison. */
export function assembleResult(
  events: readonly LabEvent[],
  description: RunDescription,
  { isStock = false } = {},
): Result {
  const rounds = events.filter((event) => event.type === 'round');
  const of = (name: PathName) => rounds.filter((round) => round.path === name);
  const isMeasured = (name: PathName) => of(name).some((round) => round.pass === 'latency');
  const floor = isMeasured('poll') ? pathResult('poll', of('poll'), undefined).latency_ns : undefined;
  const build = (name: PathName) => {
    const staged = events.find((event) => event.type === 'stages' && event.path === name);
    const path = pathResult(name, of(name), floor);
    return staged?.type === 'stages' ? { ...path, stages: stagesOf(staged) } : path;
  };
  const measured = (names: readonly PathName[]) => names.filter(isMeasured).map(build);
  const tuning = events.find((event) => event.type === 'tuning');
  const [paths, references] = [measured(ours), measured(forReference)];
  return resultSchema.parse({
    format: 'vmcall-result',
    version: 3,
    made_by: { name: 'vmcall', version: projectVersion },
    quantity: 'round-trip',
    resolution_ns: 1,
    ...description,
    ...(tuning && { tuning: tuning.settings }),
    paths,
    references,
    targets: judgeTargets(paths, references, isStock),
    timeline: timelineOf(rounds.filter(({ path }) => ours.includes(path))),
    notes: [],
  } satisfies Result);
}
