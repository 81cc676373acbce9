// SPDX-License-Identifier: Apache-2.0
import { findings } from '../../../host-agent/tuning/check.js';
import type { HostSystem } from '../../../host-agent/tuning/knob.js';
import type { TuneRequest } from '../../../host-agent/tuning/request.js';
import { resolveTarget } from '../../../host-agent/tuning/target.js';
import { planTuning } from '../../../host-agent/tuning/tune.js';

/** What `tune` would change on a recorded host, a line each, and what `check` finds there. */
export async function look(system: HostSystem, domain: string | null, request: Partial<TuneRequest> = {}) {
  const target = await resolveTarget(system.host, {
    domain: domain === null ? null : await system.domains.find(domain),
    pins: new Map(),
    nics: new Map(),
    cpus: [],
    maxExitLatency: null,
    ...request,
  });
  const lines = planTuning(system, target).map(({ knob, place, wanted }) => `${knob} ${place} -> ${wanted}`);
  return { target, lines, found: findings(system, target) };
}
