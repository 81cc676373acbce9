// SPDX-License-Identifier: Apache-2.0
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runLab } from '../../../src/lab/run.js';
import type { Artifacts } from '../../../src/setup/artifacts.js';
import { VmcallError } from '../../../src/support/errors.js';
import type { Progress } from '../../../src/support/progress.js';

/** `host lost`: the emulated host died or hung under it. */
export type Outcome = 'ok' | 'skipped' | 'failed' | 'timeout' | 'host lost';
export type Outcomes = ReadonlyMap<string, Outcome>;

/** linux: tools/testing/selftests/kselftest.h. */
const skipCode = 4;
/** Starts of L1 in which not one program ended. */
const barrenLimit = 3;

function outcomeOf(ended: number | string): Outcome {
  if (ended === 0) return 'ok';
  if (ended === skipCode) return 'skipped';
  return ended === 'timeout' ? 'timeout' : 'failed';
}

/** Runs programs one after the other; where one takes the host with it, a new host goes on with the next one. */
export async function runUpstreamSelftests(
  artifacts: Artifacts,
  programs: readonly string[],
  progress: Progress,
): Promise<Outcomes> {
  const outcomes = new Map<string, Outcome>();
  let rest = programs;
  for (let barren = 0; rest.length > 0; ) {
    let begun: string | undefined;
    const before = outcomes.size;
    try {
      await runLab({
        artifacts,
        clock: 'realtime',
        folder: await mkdtemp(join(tmpdir(), 'vmcall-upstream-selftests-')),
        scenario: {
          scenario: 'upstream-selftests',
          packets: 1,
          rounds: 1,
          interval: 1,
          idleThreshold: 0,
          seed: 0,
          testPrograms: rest.map((program) => ({ program, arguments: [] })),
        },
        progress,
        retries: 0,
        onEvent: (event) => {
          if (event.type === 'step') begun = event.text;
          if (event.type !== 'upstream-selftest') return;
          const { program, ended, seconds, output } = event;
          outcomes.set(program, outcomeOf(ended));
          progress.step(`${program}: ${outcomes.get(program)} (${ended}) after ${seconds.toFixed(1)} s`);
          if (outcomes.get(program) === 'failed')
            progress.step(`${program}: ${output.slice(-3).join(' | ')}`);
        },
      });
    } catch (error) {
      if (!(error instanceof VmcallError)) throw error;
      if (begun !== undefined && !outcomes.has(begun)) {
        outcomes.set(begun, 'host lost');
        progress.step(`${begun}: host lost: ${error.message}`);
      } else if (outcomes.size === before && ++barren >= barrenLimit) throw error;
    }
    rest = programs.filter((program) => !outcomes.has(program));
  }
  return outcomes;
}

/** Programs that passed before and did not after. */
export function regressions(before: Outcomes, after: Outcomes): string[] {
  return [...before].flatMap(([program, outcome]) =>
    outcome === 'ok' && after.get(program) !== 'ok' ? [program] : [],
  );
}

export function table(before: Outcomes, after: Outcomes): string {
  const rows = [...before].map(([program, outcome]) => [program, outcome, after.get(program) ?? 'not run']);
  const count = (outcomes: Outcomes) => [...outcomes.values()].filter((outcome) => outcome === 'ok').length;
  return [
    ['program', 'unpatched', 'patched'],
    ...rows,
    [`${before.size} programs`, `${count(before)} ok`, `${count(after)} ok`],
  ]
    .map(
      ([program = '', unpatched = '', patched]) => `${program.padEnd(44)}${unpatched.padEnd(12)}${patched}`,
    )
    .join('\n');
}
