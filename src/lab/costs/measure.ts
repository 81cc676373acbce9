// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path';
import { type Artifacts, buildUnpatched, withCosts } from '../../setup/artifacts.js';
import type { Progress } from '../../support/progress.js';
import { runLab } from '../run.js';
import { type CostReport, costReportSchema, deviceToProgram, probeOf, summarise } from './summary.js';

const rounds = 300;

/** Runs the cost scenario on Debian's own KVM and on the series', and puts the two beside each other. */
export async function measureCosts(
  artifacts: Artifacts,
  folder: string,
  progress: Progress,
): Promise<CostReport> {
  const patched = await withCosts(artifacts, progress);
  const unpatched = await buildUnpatched(patched, progress);
  const run = async (name: string, lab: Artifacts) => {
    progress.step(`starting the lab with ${name} modules`);
    return runLab({
      artifacts: lab,
      clock: 'instruction',
      folder: join(folder, name),
      // A plain CPU: what nohz_full costs each wake is the administrator's choice, not the series'.
      tickless: false,
      scenario: { scenario: 'costs', packets: rounds, rounds: 1, interval: 350, idleThreshold: 300, seed: 1 },
      progress,
    });
  };
  const before = await run('unpatched', unpatched);
  const after = await run('patched', patched);
  return costReportSchema.parse({
    format: 'vmcall-costs',
    version: 1,
    kernel: artifacts.kernel.release,
    rounds,
    ...summarise(before.events, after.events),
    device_to_program: deviceToProgram(after.events),
    probes: { unpatched: probeOf(before.events), patched: probeOf(after.events) },
    retries: before.failures.length + after.failures.length,
  } satisfies CostReport);
}
