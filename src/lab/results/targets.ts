// SPDX-License-Identifier: Apache-2.0
import type { PathResult, TargetResult } from '../../results/schema.js';

/**
 * What the comparison must reach; each is printed with what was measured, reached or not. On a host without the series
 * the PV kick is what is judged.
 */
export function judgeTargets(
  paths: readonly PathResult[],
  references: readonly PathResult[],
  isStock = false,
): TargetResult[] {
  const path = (name: string) => paths.find((entry) => entry.name === name);
  const vmcall = path('vmcall');
  const kick = path('pv-kick');
  const injected = path('injected');
  const native = path('native-interrupt');
  const l3fwd = references.find((entry) => entry.name === 'l3fwd-power');
  const ratio = (a: number | undefined, b: number | undefined) =>
    a === undefined || b === undefined ? null : a / b;
  const atMost = (name: string, measured: number | null | undefined, limit: number): TargetResult => ({
    name,
    limit: `at most ${limit}`,
    measured: measured === undefined || measured === null ? null : Math.round(measured * 1000) / 1000,
    reached: typeof measured === 'number' && measured <= limit,
  });
  const atLeast = (name: string, measured: number | null | undefined, limit: number): TargetResult => ({
    ...atMost(name, measured, limit),
    limit: `at least ${limit}`,
    reached: typeof measured === 'number' && measured >= limit,
  });
  const lost = [...paths, ...references].reduce((total, entry) => total + entry.lost, 0);
  const nothingLost = atMost('packets lost on any path', lost, 0);
  const aboutKick = [
    atMost('NIC interrupts injected per packet, PV kick', kick?.injected_interrupts_per_packet, 0),
    atLeast('CPU handed back, PV kick', kick?.cpu_handed_back, 0.955),
  ];
  const noStrawman = atLeast(
    "l3fwd-power's p50 / injected's p50",
    ratio(l3fwd?.latency_ns.p50, injected?.latency_ns.p50),
    0.95,
  );
  if (isStock)
    return [
      nothingLost,
      atMost('added p50, PV kick / injected', ratio(kick?.added_ns?.p50, injected?.added_ns?.p50), 0.4),
      ...aboutKick,
      noStrawman,
    ];
  return [
    nothingLost,
    atMost('added p50, VM call / injected', ratio(vmcall?.added_ns?.p50, injected?.added_ns?.p50), 0.3),
    atMost('added p50, VM call / native interrupt', ratio(vmcall?.added_ns?.p50, native?.added_ns?.p50), 0.6),
    atMost("VM call's p99 / injected's minimum", ratio(vmcall?.latency_ns.p99, injected?.latency_ns.min), 1),
    atMost('exits per packet, VM call', vmcall?.exits_per_packet, 1.3),
    atMost('NIC interrupts injected per packet, VM call', vmcall?.injected_interrupts_per_packet, 0),
    atLeast('CPU handed back, VM call', vmcall?.cpu_handed_back, 0.95),
    // A lab that was asked for fewer paths, or a document of before.
    ...(kick
      ? [
          atMost('added p50, PV kick / VM call', ratio(kick.added_ns?.p50, vmcall?.added_ns?.p50), 1.1),
          ...aboutKick,
        ]
      : []),
    noStrawman,
  ];
}
