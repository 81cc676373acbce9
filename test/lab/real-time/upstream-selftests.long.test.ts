// SPDX-License-Identifier: Apache-2.0
import { readdir } from 'node:fs/promises';
import { beforeAll, describe, expect, test } from 'vitest';
import { type Artifacts, buildUnpatched, withUpstreamSelftests } from '../../../src/setup/artifacts.js';
import { prepareLab } from '../../../src/setup/prepare.js';
import { stderrProgress } from '../../../src/support/progress.js';
import { type Outcomes, regressions, runUpstreamSelftests, table } from './upstream-selftests.js';

const minutes = 60_000;
const progress = stderrProgress();
/** The emulator with parallel CPUs fails a program at times, whatever the modules. */
const retries = 2;

/** The same programs, from Debian's unpatched source, on Debian's KVM and on the series'. */
describe("the kernel's own KVM selftests", () => {
  let patched: Artifacts;
  let unpatched: Artifacts;
  let programs: string[];

  beforeAll(async () => {
    patched = await withUpstreamSelftests(await prepareLab(progress, true), progress);
    unpatched = await buildUnpatched(patched, progress);
    programs = (await readdir(patched.selftests ?? '')).sort();
  }, 60 * minutes);

  test('none that passes on unpatched modules fails on those of the series', {
    timeout: 240 * minutes,
  }, async () => {
    expect(programs.length).toBeGreaterThan(50);
    const both = async (chosen: readonly string[]): Promise<[Outcomes, Outcomes]> => {
      progress.step('on unpatched modules');
      const before = await runUpstreamSelftests(unpatched, chosen, progress);
      progress.step('on the modules of the series');
      return [before, await runUpstreamSelftests(patched, chosen, progress)];
    };
    const [before, after] = await both(programs);
    process.stdout.write(`${table(before, after)}\n`);
    expect([...before.values()].filter((outcome) => outcome === 'ok').length).toBeGreaterThan(20);
    let worse = regressions(before, after);
    for (let retry = 1; retry <= retries && worse.length > 0; retry++) {
      const [again, then] = await both(worse);
      process.stdout.write(`retry ${retry} of what passed unpatched alone\n${table(again, then)}\n`);
      // One that passes patched is no regression; one that never does stays one, whatever unpatched does now.
      worse = worse.filter((program) => then.get(program) !== 'ok');
    }
    expect(worse).toEqual([]);
  });
});
