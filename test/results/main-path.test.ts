// SPDX-License-Identifier: Apache-2.0
import { expect, test } from 'vitest';
import { mainPathFor, mainPathOf } from '../../src/results/main-path.js';
import type { PathResult } from '../../src/results/schema.js';
import { realRun } from '../report/runs.js';

function paths(...names: string[]): PathResult[] {
  const [any] = realRun().result.paths;
  if (!any) throw new Error('the fixture has no path');
  return names.map((name) => ({ ...any, name }));
}
const partner = (name: string, all: PathResult[]) => {
  const path = all.find((each) => each.name === name);
  return path && mainPathFor(path, { paths: all })?.name;
};

test('a run is about the VM call, without one about the PV kick, without both about neither', () => {
  expect(mainPathOf({ paths: paths('injected', 'pv-kick', 'vmcall') })?.name).toBe('vmcall');
  expect(mainPathOf({ paths: paths('injected', 'pv-kick') })?.name).toBe('pv-kick');
  expect(mainPathOf({ paths: paths('poll', 'injected') })).toBeUndefined();
});

test('a path on which nothing came is not what a run is about', () => {
  const all = paths('injected', 'pv-kick', 'vmcall').map((path) =>
    path.name === 'vmcall' ? { ...path, received: 0 } : path,
  );
  expect(mainPathOf({ paths: all })?.name).toBe('pv-kick');
});

test('a path is compared with the main one in the same circumstances', () => {
  const probed = paths('injected', 'pv-kick', 'vmcall', 'injected-other-cpu', 'pv-kick-other-cpu');
  expect(partner('injected', probed)).toBe('vmcall');
  expect(partner('vmcall', probed)).toBeUndefined();
  const unpatched = probed.filter(({ name }) => name !== 'vmcall');
  expect(partner('injected-other-cpu', unpatched)).toBe('pv-kick-other-cpu');
  const lab = paths('injected', 'injected-hard-isr', 'native-interrupt', 'vmcall');
  expect(partner('injected-hard-isr', lab)).toBe('vmcall');
  expect(partner('native-interrupt', lab)).toBe('vmcall');
});
