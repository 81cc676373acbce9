// SPDX-License-Identifier: Apache-2.0
import { Option } from 'commander';
import {
  type Judgement,
  judgeLimits,
  judgementSchema,
  type LimitSet,
  limitNames,
} from '../results/limits.js';
import { readResult } from '../results/read.js';
import { align } from '../results/table.js';
import { exitCodes, VmcallError } from '../support/errors.js';
import { printJson } from './json-output.js';

export const limitsOption = () =>
  new Option(
    '--limits <platform>',
    "judge imported results of cyclictest and oslat, named in a domain's place, by what that platform is held to",
  ).choices(limitNames);

/** `vmcall check --limits PLATFORM RUN...`: 0 where all that is given keeps them, 1 where not. */
export async function checkLimits(name: LimitSet, runs: readonly string[], isJson: boolean): Promise<void> {
  if (runs.length === 0)
    throw new VmcallError(
      'USAGE',
      `${name} has limits, and no result to judge was named`,
      'Import one first: vmcall import --format cyclictest FILE --output cyclictest-result.json; then vmcall check --limits PLATFORM cyclictest-result.json.',
      exitCodes.usage,
    );
  const given = await Promise.all(runs.map(async (source) => ({ source, result: await readResult(source) })));
  const judgement = judgementSchema.parse(judgeLimits(name, given));
  if (isJson) printJson(judgement);
  else process.stdout.write(render(judgement));
  process.exitCode = judgement.within ? exitCodes.ok : exitCodes.failed;
}

function render({ limits, within, judged, objections, not_given, meaning }: Judgement): string {
  const rows = judged.map(({ path, samples, max_us, limit_us, within, source }) => [
    ...[path, String(samples), max_us.toFixed(2), String(limit_us), within ? 'within' : 'ABOVE', source],
  ]);
  const head = ['', 'samples', 'maximum us', 'limit us', '', 'of'];
  return [
    ...(rows.length > 0 ? [align([head, ...rows])] : []),
    ...objections,
    meaning,
    `${limits}: ${within ? 'within its limits' : 'NOT WITHIN'}${not_given.length > 0 ? ` (no result of ${not_given.join(' or ')} was given, for which it has a limit too)` : ''}`,
    '',
  ].join('\n');
}
