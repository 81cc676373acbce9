// SPDX-License-Identifier: Apache-2.0
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from '../../src/support/paths.js';

const rooms = ['src', 'host-agent', 'guest-agent', 'packaging'];

const declared =
  /^export (?:declare )?(?:abstract )?(?:async )?(?:const|let|function\*?|class|interface|type|enum|namespace) (\w+)/gm;
/** `export const { a, b: c } = …` */
const unpacked = /^export (?:const|let) [{[]([^}\]]*)[}\]] =/gm;
/** `export { a, b as c }`, of another module's too. */
const listed = /^export (?:type )?\{([^}]*)\}/gm;

const namesIn = (list = '') =>
  list
    .split(',')
    .map((part) => part.trim().match(/\w+$/)?.[0])
    .filter((name) => name !== undefined);

/** The names that a module's text exports, each once: a type may go by the name of its value. */
export function exportedNames(text: string): string[] {
  const names = [...text.matchAll(declared)].map(([, name = '']) => name);
  for (const form of [unpacked, listed])
    for (const [, list] of text.matchAll(form)) names.push(...namesIn(list));
  return [...new Set(names)];
}

function modules(folder: string): string[] {
  return readdirSync(join(projectRoot, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return entry.name === 'node_modules' ? [] : modules(path);
    return entry.name.endsWith('.ts') ? [path] : [];
  });
}

/** Every name that a module of ours exports, with the modules that do. */
export function readExportedNames(): Map<string, string[]> {
  const all = new Map<string, string[]>();
  for (const file of rooms.flatMap(modules))
    for (const name of exportedNames(readFileSync(join(projectRoot, file), 'utf8')))
      all.set(name, [...(all.get(name) ?? []), file]);
  return all;
}
