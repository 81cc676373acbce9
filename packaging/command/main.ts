// SPDX-License-Identifier: Apache-2.0
// What packages hold of the command: its code in few files, completion, pages of the manual. Run by debian/rules.
import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Command } from 'commander';
import { build } from 'rolldown';
import { verbs } from '../../src/cli/verbs.js';
import { here } from '../../src/setup/build.js';
import { bashCompletion } from './bash-completion.js';
import { configurationPage } from './configuration-page.js';
import { fishCompletion } from './fish-completion.js';
import { verbsOf } from './verbs.js';
import { zshCompletion } from './zsh-completion.js';

const { values } = parseArgs({
  options: {
    output: { type: 'string' },
    version: { type: 'string' },
    commit: { type: 'string' },
    series: { type: 'string' },
  },
});
const { output, version, commit = '', series = '' } = values;
if (!output || !version) throw new Error('wanted --output FOLDER --version VERSION');

/** The files that the programs look for beside themselves, as they lie in a clone. */
const page = ['index.html', 'style.css', 'icon.svg'].map((file) => join('host-agent', 'web', 'page', file));
const built = [join('dist', 'host-agent', 'web', 'page', 'page.js')];

const library = join(output, 'lib');
await build({
  input: { vmcall: here('dist', 'src', 'cli', 'main.js') },
  platform: 'node',
  logLevel: 'silent',
  output: { dir: join(library, 'dist', 'command'), format: 'esm', minify: true },
});
// It is started by `node`, as a file that is no program.
const entry = join(library, 'dist', 'command', 'vmcall.js');
await writeFile(entry, (await readFile(entry, 'utf8')).replace(/^#!.*\n/, ''));
for (const file of [...page, ...built]) await cp(here(file), join(library, file));
await writeFile(
  join(library, 'package.json'),
  `${JSON.stringify({ name: 'vmcall', version, commit, series: series.split(' '), type: 'module' })}\n`,
);

const program = new Command('vmcall');
for (const { load, does } of verbs) program.addCommand((await load()).description(does));
const all = verbsOf(program);
await mkdir(join(output, 'man'), { recursive: true });
await writeFile(
  join(output, 'verbs'),
  all.map(({ name, description }) => `${name}\t${description}\n`).join(''),
);
await writeFile(join(output, 'vmcall.bash-completion'), bashCompletion(all));
await writeFile(join(output, '_vmcall'), zshCompletion(all));
await writeFile(join(output, 'vmcall.fish'), fishCompletion(all));
for (const side of ['host', 'guest'] as const) {
  const readme = await readFile(here(`${side}-agent`, 'README.md'), 'utf8');
  const name = `vmcall-${side}-agent.toml`;
  const scdoc = configurationPage(name, `/etc/vmcall/${side}-agent.toml`, readme);
  await writeFile(join(output, 'man', `${name}.5.scd`), scdoc);
}
