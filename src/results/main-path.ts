// SPDX-License-Identifier: Apache-2.0
import type { PathResult, Result } from './schema.js';

/** The paths that give a vCPU back without an injected interrupt, the best first. */
const mainNames = ['vmcall', 'pv-kick'] as const;
export type MainName = (typeof mainNames)[number];

/** For sentences. */
export const mainTitles: Readonly<Record<MainName, string>> = { vmcall: 'VM call', 'pv-kick': 'PV kick' };

/** Is it one of them? */
export const isMain = (name: string) => mainNames.some((main) => main === name);

/** What a run is about: the best path that it has and on which something was received. */
export function mainPathOf({ paths }: Pick<Result, 'paths'>): (PathResult & { name: MainName }) | undefined {
  for (const name of mainNames) {
    const found = paths.find((path) => path.name === name && path.received > 0);
    if (found) return { ...found, name };
  }
  return undefined;
}

/**
 * What a path of a run is to be compared with: the main path, in the same circumstances where those have a name
 * (`injected-other-cpu` with `pv-kick-other-cpu`).
 */
export function mainPathFor(path: PathResult, { paths }: Pick<Result, 'paths'>): PathResult | undefined {
  const main = mainPathOf({ paths });
  if (!main) return undefined;
  const kind = ['injected', ...mainNames].find((name) => path.name.startsWith(`${name}-`)) ?? path.name;
  const alike = paths.find(({ name }) => name === main.name + path.name.slice(kind.length));
  const against = alike ?? main;
  return against.name === path.name || against.received === 0 ? undefined : against;
}
