// SPDX-License-Identifier: Apache-2.0
import { z } from 'zod';
import { VmcallError } from '../../src/support/errors.js';
import type { Host } from '../host/host.js';
import { type Change, Journal } from './journal.js';
import type { HostSystem } from './knob.js';
import { knobNamed, knobs } from './knobs.js';
import type { Target } from './target.js';

/** One thing that is not as it should be. */
export const knobDifferenceSchema = z.strictObject({
  knob: z.string(),
  place: z.string(),
  now: z.string(),
  wanted: z.string(),
  why: z.string(),
  source: z.string(),
});
export type KnobDifference = z.infer<typeof knobDifferenceSchema>;

/** A change that was not made, and why not. */
export const knobRefusalSchema = z.strictObject({
  knob: z.string(),
  place: z.string(),
  code: z.string(),
  what: z.string(),
  todo: z.string(),
});
export type KnobRefusal = z.infer<typeof knobRefusalSchema>;

/** What tuning would change, in the order in which it would. */
export function planTuning(system: HostSystem, target: Target): KnobDifference[] {
  return knobs.flatMap((knob) =>
    knob
      .settings(system, target)
      .filter(({ now, wanted }) => now !== wanted)
      .map((setting) => ({ knob: knob.name, ...setting, why: knob.why, source: knob.source })),
  );
}

/** @param waitSeconds how long another process may have it, such as the host agent while it sets something again */
export function openJournal(host: Host, folder: string, waitSeconds = 0): Journal {
  return Journal.open(folder, host.read('/proc/sys/kernel/random/boot_id') ?? '', waitSeconds);
}

/** Makes the differences go, each recorded first. One that fails is named, and the others are made. */
export async function apply(
  system: HostSystem,
  journal: Journal,
  differences: readonly KnobDifference[],
): Promise<{ changed: KnobDifference[]; failed: KnobRefusal[] }> {
  const changed: KnobDifference[] = [];
  const failed: KnobRefusal[] = [];
  for (const difference of differences) {
    const { knob, place, now, wanted } = difference;
    const failure = await attempt(async () => {
      refuseUnguarded(knob, failed);
      const owner = await theKnob(knob).owner?.(system, place);
      const change =
        recorded(journal, difference, owner ?? undefined) ??
        journal.record({ knob, place, before: now, after: wanted, ...(owner != null && { owner }) });
      await set(system, knob, place, wanted).catch(async (error: unknown) => {
        if (await isUntouched(system, change)) journal.undone(change);
        throw error;
      });
    });
    if (failure) failed.push({ knob, place, ...failure });
    else changed.push(difference);
  }
  return { changed, failed };
}

/** The same change, made before and lost since: an interrupt that came back as it was at first. */
const recorded = (
  journal: Journal,
  { knob, place, now, wanted }: KnobDifference,
  owner: string | undefined,
): Change | undefined =>
  journal
    .pending()
    .find(
      (change) =>
        !journal.isOfOtherBoot(change) &&
        change.owner === owner &&
        [change.knob, change.place, change.before, change.after].join('\n') ===
          [knob, place, now, wanted].join('\n'),
    );

function refuseUnguarded(name: string, failed: readonly KnobRefusal[]): void {
  const guard = failed.find(({ knob }) => theKnob(name).guardedBy?.includes(knob));
  if (guard)
    throw new VmcallError(
      'TUNING_UNGUARDED',
      `it does harm without ${guard.knob}, which could not be set (${guard.place})`,
      `See to that first: ${guard.todo}`,
    );
}

export interface Restored {
  restored: Change[];
  /** Nothing was to be done: the place is gone, as it was before, or of an earlier boot. */
  settled: Change[];
  refused: KnobRefusal[];
}

/**
 * Undoes changes that the journal has, the latest first. A place that someone else has changed since is left as
 * it is and named, unless `force`.
 */
export async function restore(
  system: HostSystem,
  journal: Journal,
  force: boolean,
  changes: readonly Change[] = journal.pending(),
): Promise<Restored> {
  const outcome: Restored = { restored: [], settled: [], refused: [] };
  for (const change of changes) {
    const failure = await attempt(async () => {
      const written = await undo(system, journal, change, force);
      journal.undone(change);
      outcome[written ? 'restored' : 'settled'].push(change);
    });
    if (failure) outcome.refused.push({ knob: change.knob, place: change.place, ...failure });
  }
  return outcome;
}

/** True where something was written. */
async function undo(system: HostSystem, journal: Journal, change: Change, force: boolean): Promise<boolean> {
  const { knob, place, before, after } = change;
  if (journal.isOfOtherBoot(change) || (await isOthersNow(system, change))) return false;
  if (await isUntouched(system, change)) return false;
  const now = await theKnob(knob).read(system, place);
  if (now !== after && now !== before && !force)
    throw new VmcallError(
      'TUNING_CHANGED_SINCE',
      `it was set to "${after}" and is "${now}" now: someone else changed it`,
      `Look who did (tuned, irqbalance?); vmcall tune restore --force puts "${before}" back all the same.`,
    );
  await set(system, knob, place, before);
  return true;
}

/** Another domain has the name now: what is set there is that one's. */
async function isOthersNow(system: HostSystem, { knob, place, owner }: Change): Promise<boolean> {
  return owner !== undefined && (await theKnob(knob).owner?.(system, place)) !== owner;
}

/** Nothing is to be undone: the place is gone, or surely as it was before. */
async function isUntouched(system: HostSystem, { knob, place, before }: Change): Promise<boolean> {
  const { read, inParts } = theKnob(knob);
  const now = await read(system, place);
  return now === null || (now === before && !inParts);
}

async function set(system: HostSystem, name: string, place: string, value: string): Promise<void> {
  const knob = theKnob(name);
  await knob.write(system, place, value);
  const now = await knob.read(system, place);
  if (now !== value)
    throw new VmcallError(
      'TUNING_NOT_TAKEN',
      `"${value}" was written, but it reads "${now ?? 'nothing'}"`,
      'The kernel or another program set it otherwise: look for tuned and irqbalance with vmcall check.',
    );
}

function theKnob(name: string) {
  const knob = knobNamed(name);
  if (!knob)
    throw new VmcallError(
      'UNKNOWN_KNOB',
      `this version has no knob ${name}`,
      'Restore with the version that set it.',
    );
  return knob;
}

/** Runs `work`; what it failed with, where it was an error that a user can act on. */
async function attempt(
  work: () => Promise<void>,
): Promise<Pick<KnobRefusal, 'code' | 'what' | 'todo'> | null> {
  try {
    await work();
    return null;
  } catch (error) {
    if (!(error instanceof VmcallError)) throw error;
    return { code: error.code, what: error.message, todo: error.cure };
  }
}
