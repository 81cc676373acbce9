// SPDX-License-Identifier: Apache-2.0
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';
import { projectRoot } from '../../src/support/paths.js';

/** `from` imports (C: includes) `to`; both are files as the repository names them. */
export interface Import {
  from: string;
  to: string;
}

const rooms = ['src', 'host-agent', 'guest-agent'];

/** A module's name in any import, `import type` and `import()` too; a URL of a file beside it is none. */
const specifier = /\b(?:from|import)\s*\(?\s*'(\.{1,2}\/[^']+)'/g;
const include = /^#include "([^"]+)"/gm;

/** A C or C++ source and its header are one unit, which goes by the name of the source. */
const unit = (file: string) => file.replace(/\.h$/, '').replace(/\.(c|cc)$/, '');

function files(folder: string): string[] {
  const entries = readdirSync(join(projectRoot, folder), { withFileTypes: true });
  return entries.flatMap((entry) => {
    const path = join(folder, entry.name);
    return entry.isDirectory() ? files(path) : [path];
  });
}

function importsOf(file: string): Import[] {
  const text = readFileSync(join(projectRoot, file), 'utf8');
  const beside = (name: string) => normalize(join(dirname(file), name));
  if (/\.(c|cc|h)$/.test(file))
    return [...text.matchAll(include)]
      .map(([, name = '']) => beside(name))
      .filter((to) => existsSync(join(projectRoot, to)) && unit(to) !== unit(file))
      .map((to) => ({ from: unit(file), to: unit(to) }));
  if (!file.endsWith('.ts')) return [];
  return [...text.matchAll(specifier)].map(([, name = '']) => ({
    from: file,
    to: beside(name).replace(/\.js$/, '.ts'),
  }));
}

/** Every import of one file of ours by another, C's includes of units by units. */
export function readImports(): Import[] {
  return rooms.flatMap(files).flatMap(importsOf);
}

/** The same between what stands side by side in one folder: its files, and its folders each as one. */
export function importsInside(folder: string, imports: readonly Import[]): Import[] {
  const child = (file: string) => {
    const path = relative(folder, file);
    return path.startsWith('..') ? undefined : path.split('/')[0];
  };
  return imports.flatMap(({ from, to }) => {
    const [a, b] = [child(from), child(to)];
    return a !== undefined && b !== undefined && a !== b ? [{ from: a, to: b }] : [];
  });
}

/** Every circle that an import is part of, each once, as the names on it. */
export function circles(imports: readonly Import[]): string[] {
  const targets = new Map<string, Set<string>>();
  for (const { from, to } of imports) targets.set(from, (targets.get(from) ?? new Set()).add(to));
  const found = new Set<string>();
  const done = new Set<string>();
  const way: string[] = [];
  const visit = (name: string): void => {
    const at = way.indexOf(name);
    if (at >= 0) found.add([...way.slice(at), name].join(' -> '));
    if (at >= 0 || done.has(name)) return;
    way.push(name);
    for (const target of targets.get(name) ?? []) visit(target);
    way.pop();
    done.add(name);
  };
  for (const name of targets.keys()) visit(name);
  return [...found];
}
