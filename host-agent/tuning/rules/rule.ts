// SPDX-License-Identifier: Apache-2.0
import type { Host } from '../../host/host.js';
import type { Finding } from '../checks/finding.js';
import type { Target } from '../target.js';

/** What one look found: well where there is nothing to fix. */
export interface RuleVerdict {
  /** What was read, and where. */
  read: string;
  cure?: string;
  /** Undoes the fix. */
  undo?: string;
}

/** Something that is looked at on a host, as data: what for, where that is documented, and the look itself. */
export interface Rule {
  /** Stable: may be matched on. */
  code: string;
  /** How it is judged where it is not well. */
  severity: 'warn' | 'fail';
  why: string;
  source: string;
  /** A verdict for each thing that was read; none where the host has no such thing. */
  judge(host: Host, target: Target): readonly RuleVerdict[];
}

export const wellRead = (read: string): RuleVerdict => ({ read });

/** The findings of rules on a host. */
export function judge(rules: readonly Rule[], host: Host, target: Target): Finding[] {
  return rules.flatMap((rule) =>
    rule.judge(host, target).map(({ read, cure, undo }): Finding => {
      const { code, severity, why, source } = rule;
      return cure === undefined
        ? { code, severity: 'ok', read, todo: null, undo: null, why: null, source: null, unsupported: false }
        : { code, severity, read, todo: cure, undo: undo ?? null, why, source, unsupported: false };
    }),
  );
}
