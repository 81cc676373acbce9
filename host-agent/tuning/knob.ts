// SPDX-License-Identifier: Apache-2.0

import type { Host } from '../host/host.js';
import type { DomainSource } from './domain.js';
import type { Target } from './target.js';

/** What knobs work on. */
export interface HostSystem {
  host: Host;
  domains: DomainSource;
}

/** One place that a knob sets. Values are texts, written as the kernel writes them, so that equal means same. */
export interface Setting {
  /** Names the place to `read` and `write`, and to a person. */
  place: string;
  now: string;
  wanted: string;
}

/** Something of the host that can be set while it runs, and set back. */
export interface Knob {
  /** Stable: it stands in the record. */
  name: string;
  /** One line: what it is good for. */
  why: string;
  /** Where that is documented. */
  source: string;
  /** How `check` judges a setting that is not as wanted. */
  severity: 'warn' | 'fail';
  /** True where one place is several threads: a crash can leave some of them set, whatever `read` says. */
  inParts?: true;
  /** Knobs without which this one does harm: it is not set where one of theirs could not be. */
  guardedBy?: readonly string[];
  /**
   * Whose the place is, where its name may be another's by the time it is restored: a domain's UUID, else its process.
   * Null where nobody is called so.
   */
  owner?(system: HostSystem, place: string): Promise<string | null>;
  /** Every place that belongs to the target, also those already as wanted. */
  settings(system: HostSystem, target: Target): Setting[];
  /** The value now; null where the place is gone (an interrupt freed, a domain ended). */
  read(system: HostSystem, place: string): Promise<string | null>;
  /** Throws a VmcallError where the host refuses. */
  write(system: HostSystem, place: string, value: string): Promise<void>;
}

/** A knob whose places are attribute files. */
export function fileKnob(
  knob: Omit<Knob, 'read' | 'write' | 'settings'>,
  wanted: (
    system: HostSystem,
    target: Target,
    now: (file: string) => string | null,
  ) => [file: string, wanted: string][],
): Knob {
  return {
    ...knob,
    settings: (system, target) =>
      wanted(system, target, (file) => system.host.read(file)).flatMap(([place, value]) => {
        const now = system.host.read(place);
        return now === null ? [] : [{ place, now, wanted: value }];
      }),
    read: async ({ host }, place) => host.read(place),
    write: async ({ host }, place, value) => host.write(place, value),
  };
}
