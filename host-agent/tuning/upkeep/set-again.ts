// SPDX-License-Identifier: Apache-2.0
import type { Journal } from '../journal.js';
import type { HostSystem } from '../knob.js';
import { knobNamed } from '../knobs.js';
import { resolveTarget, type Target } from '../target.js';
import { apply, type KnobDifference, type KnobRefusal, openJournal, planTuning } from '../tune.js';
import type { Kept } from './kept.js';

/** What became of a saved request at one check. */
export interface SetAgain {
  /** Null: its domain does not run. */
  target: Target | null;
  changed: KnobDifference[];
  failed: KnobRefusal[];
}

/**
 * Reapplies what is not as a saved request has it, each change recorded as `tune apply` records it. Nothing is set while a
 * question is open (`target.undecided`): a guest that has just started has no NIC yet. Throws `TUNING_BUSY`.
 * @param spare a difference that is left as it is
 */
export async function setAgain(
  system: HostSystem,
  state: string,
  kept: Kept,
  spare: (difference: KnobDifference) => boolean,
): Promise<SetAgain> {
  const domain = kept.domain && (await system.domains.find(kept.domain.uuid ?? kept.domain.name));
  if (kept.domain && !domain) return { target: null, changed: [], failed: [] };
  const target = await resolveTarget(system.host, {
    domain,
    pins: new Map(kept.pins),
    nics: new Map(kept.nics),
    cpus: kept.cpus,
    maxExitLatency: kept.max_exit_latency_us,
  });
  const differences =
    target.undecided.length > 0 ? [] : planTuning(system, target).filter((one) => !spare(one));
  if (differences.length === 0) return { target, changed: [], failed: [] };
  const journal = openJournal(system.host, state);
  try {
    await settleGone(system, journal);
    return { target, ...(await apply(system, journal, differences)) };
  } finally {
    journal.close();
  }
}

/** So that a record does not grow with each interrupt that came and went. */
async function settleGone(system: HostSystem, journal: Journal): Promise<void> {
  for (const change of journal.pending()) {
    const knob = knobNamed(change.knob);
    if (journal.isOfOtherBoot(change) || (knob && (await knob.read(system, change.place)) === null))
      journal.undone(change);
  }
}
