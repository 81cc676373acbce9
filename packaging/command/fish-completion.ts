// SPDX-License-Identifier: Apache-2.0
import type { CompletedVerb, Flag } from './verbs.js';

/** A completion script for fish, from the command's own verbs and options. */
export function fishCompletion(verbs: readonly CompletedVerb[]): string {
  const names = verbs.map(({ name }) => name).join(' ');
  const lines = verbs.flatMap((verb) => [
    `complete -c vmcall -n 'not __fish_seen_subcommand_from ${names}' -f -a ${verb.name} -d ${quoted(verb.description)}`,
    ...(verb.verbs.length > 0 ? inner(verb) : taken(`__fish_seen_subcommand_from ${verb.name}`, verb)),
  ]);
  return `# SPDX-License-Identifier: Apache-2.0
# fish completion for vmcall, made from its own options.

function __vmcall_domains
    virsh --quiet list --all --name 2>/dev/null | string match -r '.+'
end

${lines.join('\n')}
`;
}

function inner({ name, verbs }: CompletedVerb): string[] {
  const names = verbs.map((verb) => verb.name).join(' ');
  const open = `__fish_seen_subcommand_from ${name}; and not __fish_seen_subcommand_from ${names}`;
  return verbs.flatMap((verb) => [
    `complete -c vmcall -n '${open}' -f -a ${verb.name} -d ${quoted(verb.description)}`,
    ...taken(`__fish_seen_subcommand_from ${name}; and __fish_seen_subcommand_from ${verb.name}`, verb),
  ]);
}

function taken(when: string, { flags, operands }: CompletedVerb): string[] {
  const domains =
    operands === 'domains' ? [`complete -c vmcall -n '${when}' -f -a '(__vmcall_domains)'`] : [];
  return [...flags.map((flag) => `complete -c vmcall -n '${when}' ${words(flag)}`), ...domains];
}

function words({ long, short, description, values, file }: Flag): string {
  const names = `${short ? `-s ${short.slice(1)} ` : ''}-l ${long.slice(2)} -d ${quoted(description)}`;
  if (values === undefined) return names;
  if (file) return `${names} -r -F`;
  return values.length > 0 ? `${names} -x -a ${quoted(values.join(' '))}` : `${names} -x`;
}

const quoted = (text: string) => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
