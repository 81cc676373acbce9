// SPDX-License-Identifier: Apache-2.0
import { dirname } from 'node:path';
import { describe, expect, test } from 'vitest';
import { circles, importsInside, readImports } from './import-graph.js';

const imports = readImports();

/** Each folder that holds imports, and those above it. */
function folders(): string[] {
  const all = new Set<string>();
  for (const { from } of imports)
    for (let folder = dirname(from); folder !== '.'; folder = dirname(folder)) all.add(folder);
  return [...all].sort();
}

test('the graph has what there is: TypeScript, types alone, C', () => {
  expect(imports).toContainEqual({ from: 'src/cli/main.ts', to: 'src/cli/program.ts' });
  expect(imports).toContainEqual({ from: 'src/cli/verbs.ts', to: 'src/cli/run.ts' });
  expect(imports).toContainEqual({ from: 'host-agent/switch/kvm.ts', to: 'host-agent/host/host.ts' });
  expect(imports).toContainEqual({ from: 'guest-agent/dataplane/main', to: 'guest-agent/dataplane/port' });
});

test('a circle is found, each once', () => {
  const edges = ['a b', 'b c', 'c a', 'c d', 'd e', 'e d'].map((edge) => edge.split(' '));
  expect(circles(edges.map(([from = '', to = '']) => ({ from, to })))).toEqual([
    'a -> b -> c -> a',
    'd -> e -> d',
  ]);
});

test('no file imports itself by way of others', () => {
  expect(circles(imports)).toEqual([]);
});

describe('nothing imports itself by way of what stands beside it in', () => {
  test.each(folders())('%s', (folder) => {
    expect(circles(importsInside(folder, imports))).toEqual([]);
  });
});
