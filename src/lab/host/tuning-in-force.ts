// SPDX-License-Identifier: Apache-2.0
import { knobs } from '../../../host-agent/tuning/knobs.js';
import { resolveTarget } from '../../../host-agent/tuning/target.js';
import type { TuningEvent } from '../events.js';
import { dpdkCpu, dpdkVcpu } from './cpus.js';
import type { GuestMachine } from './guest-machine.js';
import { tuning } from './knobs.js';

/** Every setting of `vmcall tune` that a guest has, as it is now. */
export async function tuningInForce(guest: GuestMachine): Promise<TuningEvent> {
  const target = await resolveTarget(tuning.host, {
    domain: await tuning.domains.find(String(guest.pid)),
    pins: new Map([[dpdkVcpu, dpdkCpu]]),
    nics: new Map(),
    cpus: [],
    maxExitLatency: null,
  });
  const settings = knobs.flatMap((knob) =>
    knob.settings(tuning, target).map(({ place, now }) => [`${knob.name} ${place}`, now] as const),
  );
  return { type: 'tuning', settings: Object.fromEntries(settings) };
}
