// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from 'vitest';
import type { LabEvent } from '../../../../src/lab/events.js';
import { knobSets, knobsAt } from '../../../../src/lab/knobs.js';
import { assembleBeforeAfter, knobShares } from '../../../../src/lab/results/tables/before-after.js';
import { renderBeforeAfter } from '../../../../src/lab/results/tables/before-after-text.js';
import { places } from '../../../../src/lab/table-events.js';
import { burst } from '../bursts.js';
import { header } from './header.js';

describe.each(places)('the sets of knobs for the %s', (place) => {
  const all = knobsAt(place);
  const sets = knobSets(place).map((set) => set.join(' '));

  test('are none, one more at a time, all, and all but one, each once', () => {
    expect(new Set(sets).size).toBe(sets.length);
    for (const at of [...all.keys(), all.length]) expect(sets).toContain(all.slice(0, at).join(' '));
    for (const knob of all) expect(sets).toContain(all.filter((other) => other !== knob).join(' '));
    expect(sets).toHaveLength(2 * all.length);
  });
});

/** Each knob is worth 10 us, the first one 10 us more if it is alone. */
const latency = (knobs: readonly string[]) =>
  200_000 - 10_000 * knobs.length - (knobs.length === 1 ? 10_000 : 0);
const events: LabEvent[] = places.flatMap((place) =>
  knobSets(place).map(
    (knobs): LabEvent => ({ type: 'tuned', place, knobs, generator: burst([latency(knobs)]) }),
  ),
);
const table = assembleBeforeAfter(
  [...events, { type: 'c-states', exitCode: 4, message: 'CPU 1 has no C-states to limit' }],
  header,
);

test("gives each knob's share, added and taken away", () => {
  const [first, second, ...others] = knobShares(table, 'host');
  expect(first?.knob).toBe('interrupt-throttling');
  const added = (share: typeof first) => (share?.added.to?.avg ?? 0) - (share?.added.from?.avg ?? 0);
  expect([first, second].map(added)).toEqual([-20_000, 0]);
  for (const share of others) {
    expect(added(share)).toBe(-10_000);
    expect((share.all?.avg ?? 0) - (share.without?.avg ?? 0)).toBe(-10_000);
  }
});

test("prints the deck's shape first, the deck's figures apart, and what it cannot show", () => {
  const text = renderBeforeAfter(table);
  expect(text).toMatch(/host, before +200\.00 .* 19 \/ 105 \/ 418/);
  expect(text).toMatch(/host, after +160\.00 .* 9 \/ 14 \/ 21/);
  expect(text).toMatch(/in-VM, before +200\.00 .* 9 \/ 112 \/ 7210/);
  expect(text).toMatch(/in-VM, after +130\.00 .* 9 \/ 20 \/ 35/);
  expect(text).toContain('resume-latency: CPU 1 has no C-states to limit (vmcall cstates: exit code 4)');
});
