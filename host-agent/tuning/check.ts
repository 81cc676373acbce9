// SPDX-License-Identifier: Apache-2.0
import { z } from 'zod';
import { exitCodes } from '../../src/support/errors.js';
import { explained } from './checks/explanations.js';
import { type Finding, fail, findingSchema, ok } from './checks/finding.js';
import { checkHardware } from './checks/hardware.js';
import { checkIdle } from './checks/idle.js';
import { checkInterrupts } from './checks/interrupts.js';
import { checkIommu } from './checks/iommu.js';
import { checkIsolation } from './checks/isolation.js';
import { checkNeighbours } from './checks/neighbours.js';
import { checkGuest, isKvmGuest, pathOfHost } from './checks/path.js';
import { checkRivals } from './checks/rivals.js';
import { checkVirtualisation } from './checks/virtualisation.js';
import type { HostSystem } from './knob.js';
import { knobs } from './knobs.js';
import { judge } from './rules/rule.js';
import { rules } from './rules/rules.js';
import type { Target } from './target.js';

export const checkSchema = z.strictObject({
  format: z.literal('vmcall-check'),
  version: z.literal(1),
  domain: z.string().nullable(),
  /** DPDK CPUs judged. */
  cpus: z.string(),
  fit: z.boolean(),
  findings: z.array(findingSchema),
});
export type Check = z.infer<typeof checkSchema>;

/** Every finding about the host, the domain and the NICs of the target, those that are well included. */
export function findings(system: HostSystem, target: Target): Finding[] {
  const { host } = system;
  if (isKvmGuest(host) && !host.exists('/dev/kvm')) return checkGuest(host).map(explained);
  return [
    pathOfHost(host),
    ...checkVirtualisation(host, target),
    ...checkIommu(host, target),
    ...checkIsolation(host, target),
    ...checkIdle(host, target),
    ...checkInterrupts(host, target),
    ...checkHardware(host, target),
    ...checkNeighbours(host, target),
    ...checkRivals(host),
    ...judge(rules, host, target),
    ...target.undecided.map(({ code, what, todo }) => fail(code, what, todo)),
    ...knobFindings(system, target),
  ].map(explained);
}

function knobFindings(system: HostSystem, target: Target): Finding[] {
  return knobs.flatMap((knob) =>
    knob.settings(system, target).map(({ place, now, wanted }) =>
      now === wanted
        ? ok(knob.name, `${place}: ${now}`)
        : {
            ...fail(knob.name, `${place}: ${now}, wanted ${wanted}`, target.apply),
            severity: knob.severity,
            why: knob.why,
            source: knob.source,
            undo: 'vmcall tune restore',
          },
    ),
  );
}

/** 0 fit, 1 not fit, 4 where it cannot work here. */
export function checkExitCode(found: readonly Finding[]): number {
  if (found.some(({ unsupported }) => unsupported)) return exitCodes.unsupported;
  return found.some(({ severity }) => severity === 'fail') ? exitCodes.failed : exitCodes.ok;
}
