// SPDX-License-Identifier: Apache-2.0

/**
 * A manual page of section 5, in scdoc's form (scdoc(5)), from the table of keys in an agent's README: `key`,
 * default, meaning. So the two never differ.
 * @param page the file that it is about, e.g. `vmcall-host-agent.toml`
 * @throws Error if the README has no such table
 */
export function configurationPage(page: string, installed: string, readme: string): string {
  const section = /^## Configuration\n(.*?)(?=^## |(?![\s\S]))/ms.exec(readme)?.[1] ?? '';
  const keys = section
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .map((line) => line.split('|').map((cell) => cell.trim()));
  if (keys.length === 0)
    throw new Error(`the README for ${page} has no table of keys under "## Configuration"`);
  return `${page}(5)

# NAME

${page} - configuration of the ${page.replace('.toml', '').replace('vmcall-', 'vmcall ').replace('-agent', ' agent')}

# DESCRIPTION

_${installed}_ is in TOML. A key is written as _table.key_ here: *guests.port* is *port* below *[guests]*. A wrong value
is reported with file, key and value when the agent starts (exit code 3), or when it reloads, and then nothing
changes.

# KEYS

${keys.map(([, key = '', standard = '', meaning = '']) => entry(key, standard, meaning)).join('\n')}
# SEE ALSO

*vmcall*(1)
`;
}

function entry(key: string, standard: string, meaning: string): string {
  const text = plain(meaning.replace(/^\.+ /, '')) || 'See the documentation.';
  return `*${plain(key)}*
	${text.replace(/^[a-z]/, (first) => first.toUpperCase()).replace(/[.]*$/, '.')}${standard ? ` Default: ${plain(standard)}` : ''}
`;
}

/** Markdown's code and links as plain text, and scdoc's own signs escaped. */
const plain = (text: string) =>
  text
    .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
    .replaceAll('`', '')
    .replace(/[\\_*#]|^[-.]/g, '\\$&');
