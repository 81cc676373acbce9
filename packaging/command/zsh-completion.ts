// SPDX-License-Identifier: Apache-2.0
import type { CompletedVerb, Flag } from './verbs.js';

/** A completion script for zsh, from the command's own verbs and options. */
export function zshCompletion(verbs: readonly CompletedVerb[]): string {
  return `#compdef vmcall
# SPDX-License-Identifier: Apache-2.0
# zsh completion for vmcall, made from its own options.

_vmcall_domains() {
	local -a domains
	domains=(\${(f)"$(virsh --quiet list --all --name 2>/dev/null)"})
	compadd -- $domains
}

${choice('_vmcall', verbs, 'verb', true)}
_vmcall "$@"
`;
}

/** A function that completes one of several verbs, and then what that verb takes. */
function choice(name: string, verbs: readonly CompletedVerb[], what: string, top: boolean): string {
  const own = top ? `'(- *)--help[show help]' '(- *)--version[show version]' ` : '';
  return `${verbs
    .filter((verb) => verb.verbs.length > 0)
    .map((verb) => choice(`${name}_${verb.name.replaceAll('-', '_')}`, verb.verbs, verb.name, false))
    .join('')}${name}() {
	local context state state_descr line
	typeset -A opt_args
	_arguments -C ${own}'1:${what}:->verb' '*::operand:->rest'
	case $state in
	verb)
		local -a verbs=(
${verbs.map((verb) => `\t\t\t${quoted(`${verb.name}:${verb.description}`)}`).join('\n')}
		)
		_describe ${what} verbs
		;;
	rest)
		case $line[1] in
${verbs.map((verb) => `\t\t${verb.name}) ${verb.verbs.length > 0 ? `${name}_${verb.name.replaceAll('-', '_')}` : taken(verb)} ;;`).join('\n')}
		esac
		;;
	esac
}
`;
}

function taken({ flags, operands }: CompletedVerb): string {
  const rest = { domains: "'*:domain:_vmcall_domains'", files: "'*:file:_files'", none: '' }[operands];
  return `_arguments ${[...flags.map(specification), rest].filter(Boolean).join(' ')}`;
}

function specification({ long, short, description, values, file }: Flag): string {
  const text = `[${description.replace(/[[\]:\\]/g, '\\$&')}]`;
  const value =
    values === undefined
      ? ''
      : `:value:${file ? '_files' : values.length > 0 ? `(${values.join(' ')})` : ''}`;
  const names = short ? `{${short},${long}}` : long;
  return short
    ? `'(${short} ${long})'${names}${quoted(`${text}${value}`)}`
    : quoted(`${long}${text}${value}`);
}

const quoted = (text: string) => `'${text.replaceAll("'", `'\\''`)}'`;
