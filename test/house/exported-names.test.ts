// SPDX-License-Identifier: Apache-2.0
import { expect, test } from 'vitest';
import { exportedNames, readExportedNames } from './exported-names.js';

/** Names that mean two things all the same, each with why. A name that no longer does must leave the list. */
const leftTwice: Readonly<Record<string, string>> = {};

test('each form of an export is seen, and what is not exported is not', () => {
  const text = [
    'export const a = 1;',
    'export type a = typeof a;',
    'export async function b() {}',
    'export abstract class C {}',
    'export const { d, x: e } = f;',
    "export { g, x as h } from './i.js';",
    'export type {\n  J,\n  K,\n} from "./l.js";',
    'const m = 1;',
    'export function* n() {}',
  ].join('\n');
  expect(exportedNames(text).sort()).toEqual(['C', 'J', 'K', 'a', 'b', 'd', 'e', 'g', 'h', 'n']);
});

test('one name is one thing: no two modules export the same', () => {
  const names = readExportedNames();
  expect(names.get('openHdrV2')).toEqual(['src/support/hdr/read.ts']);
  const twice = [...names].filter(([, files]) => files.length > 1);
  const unlisted = twice.filter(([name]) => !(name in leftTwice));
  expect(
    unlisted.map(([name, files]) => `${name}: ${files.join(', ')}`),
    'give one of them a name of its own, or import it from where it stands',
  ).toEqual([]);
  expect(Object.keys(leftTwice).filter((name) => (names.get(name)?.length ?? 0) < 2)).toEqual([]);
});
