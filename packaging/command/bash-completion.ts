// SPDX-License-Identifier: Apache-2.0
import type { CompletedVerb, Flag } from './verbs.js';

/** A completion script for bash, from the command's own verbs and options. */
export function bashCompletion(verbs: readonly CompletedVerb[]): string {
  return `# SPDX-License-Identifier: Apache-2.0
# bash completion for vmcall, made from its own options.

_vmcall_domains() {
	COMPREPLY=($(compgen -W "$(virsh --quiet list --all --name 2>/dev/null)" -- "$cur"))
}

_vmcall_files() {
	compopt -o filenames 2>/dev/null
	mapfile -t COMPREPLY < <(compgen -f -- "$cur")
}

_vmcall() {
	local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD - 1]}
	local verb=\${COMP_WORDS[1]-}
	case $verb in
${verbs.map((verb) => `\t${verb.name}) ${verb.verbs.length > 0 ? inner(verb) : reply(verb)} ;;`).join('\n')}
	*) COMPREPLY=($(compgen -W "${[...verbs.map(({ name }) => name), '--help', '--version'].join(' ')}" -- "$cur")) ;;
	esac
	((COMP_CWORD > 1)) || COMPREPLY=($(compgen -W "${[...verbs.map(({ name }) => name), '--help', '--version'].join(' ')}" -- "$cur"))
}

complete -F _vmcall vmcall
`;
}

/** A verb of verbs, as \`tune plan\`. */
function inner({ verbs }: CompletedVerb): string {
  const names = verbs.map(({ name }) => name).join(' ');
  return `
		case \${COMP_WORDS[2]-} in
${verbs.map((verb) => `\t\t${verb.name}) ${reply(verb)} ;;`).join('\n')}
		*) COMPREPLY=($(compgen -W "${names}" -- "$cur")) ;;
		esac`;
}

/** After an option its value, before one the options, else the operands. */
function reply({ flags, operands }: CompletedVerb): string {
  const words = flags.map(({ long }) => long).join(' ');
  const valued = flags.filter(({ values }) => values !== undefined);
  const rest =
    operands === 'domains' ? '_vmcall_domains' : operands === 'files' ? '_vmcall_files' : 'COMPREPLY=()';
  return `
		case $prev in
${valued.map((flag) => `\t\t${pattern(flag)}) ${value(flag)} ;;`).join('\n')}
		*)
			if [[ $cur == -* ]]; then
				COMPREPLY=($(compgen -W "${words}" -- "$cur"))
			else
				${rest}
			fi
			;;
		esac`;
}

const pattern = ({ long, short }: Flag) => (short ? `${short} | ${long}` : long);

function value({ values = [], file }: Flag): string {
  if (file) return '_vmcall_files';
  return `COMPREPLY=($(compgen -W "${values.join(' ')}" -- "$cur"))`;
}
