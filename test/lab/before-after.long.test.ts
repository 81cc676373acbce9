// SPDX-License-Identifier: Apache-2.0
import { beforeAll, describe, expect, test } from 'vitest';
import { knobSets } from '../../src/lab/knobs.js';
import {
  type BeforeAfter,
  beforeAfterSchema,
  knobShares,
} from '../../src/lab/results/tables/before-after.js';
import { type ProgramPlace, places } from '../../src/lab/table-events.js';
import { runTable } from './run-table.js';

describe('npm run before-after -- --json', () => {
  let table: BeforeAfter;
  const row = (place: ProgramPlace, count: number) => {
    const found = table.rows.find((entry) => entry.place === place && entry.knobs.length === count);
    if (!found?.rtt_ns) throw new Error(`no latency at ${place} with ${count} knobs`);
    return found.rtt_ns;
  };
  const all = (place: ProgramPlace) => table.knobs.filter((knob) => knob.places.includes(place)).length;

  beforeAll(async () => {
    table = beforeAfterSchema.parse(await runTable('before-after', '--packets', '60'));
  }, 2_400_000);

  test('has each set of knobs', () => {
    expect(table.rows.map(({ place, knobs }) => [place, knobs])).toEqual(
      places.flatMap((place) => knobSets(place).map((set) => [place, set])),
    );
  });

  test('is faster after than before, on average and at worst', () => {
    for (const place of places) {
      expect(row(place, all(place)).avg, place).toBeLessThan(row(place, 0).avg);
      expect(row(place, all(place)).max, place).toBeLessThan(row(place, 0).max);
    }
  });

  test("shows the VM call's own share", () => {
    const share = knobShares(table, 'vm').find(({ knob }) => knob === 'vm-call');
    expect(share?.added.to?.p50).toBeLessThan(share?.added.from?.p50 ?? 0);
  });

  test('says that the lab has no C-states, with exit code 4', () => {
    expect(table.not_shown).toContainEqual({
      name: 'resume-latency',
      why: expect.stringMatching(/no C-states.*exit code 4/),
    });
  });
});
