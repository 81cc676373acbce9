// SPDX-License-Identifier: Apache-2.0
import type { Command, Option } from 'commander';

/** An option as a shell completes it. */
export interface Flag {
  long: string;
  short: string | undefined;
  description: string;
  /** It is followed by a value; one of these, or any where there are none. */
  values: readonly string[] | undefined;
  /** The value is the name of a file or folder. */
  file: boolean;
}

/** What may stand behind `vmcall`: a verb, or a verb of a verb. */
export interface CompletedVerb {
  name: string;
  description: string;
  flags: readonly Flag[];
  verbs: readonly CompletedVerb[];
  /** It takes libvirt domains, or files. */
  operands: 'domains' | 'files' | 'none';
}

/** The verbs of a command, as commander has them; those that are hidden are left out. */
export function verbsOf(command: Command): CompletedVerb[] {
  const help = command.createHelp();
  return help
    .visibleCommands(command)
    .filter((verb) => verb.name() !== 'help')
    .map((verb) => ({
      name: verb.name(),
      description: verb.description(),
      flags: help.visibleOptions(verb).flatMap((option) => flagOf(option)),
      verbs: verbsOf(verb),
      operands: operandsOf(verb),
    }));
}

function flagOf(option: Option): Flag[] {
  if (!option.long) return [];
  const takesValue = option.required || option.optional;
  const values = takesValue ? (option.argChoices ?? []) : undefined;
  const file = takesValue && /<(?:file|folder|socket)>/i.test(option.flags);
  return [{ long: option.long, short: option.short, description: option.description ?? '', values, file }];
}

function operandsOf(verb: Command): CompletedVerb['operands'] {
  const names = verb.registeredArguments.map((argument) => argument.name().toLowerCase());
  if (names.some((name) => name.startsWith('domain'))) return 'domains';
  return names.length > 0 ? 'files' : 'none';
}
