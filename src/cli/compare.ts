// SPDX-License-Identifier: Apache-2.0
import { Command, InvalidArgumentError } from 'commander';
import { compareInside, compareRuns, type Run } from '../comparison/compare.js';
import { renderComparison } from '../comparison/text.js';
import { mainPathOf } from '../results/main-path.js';
import { readResult } from '../results/read.js';

interface CompareOptions {
  paths?: [string, string];
  force?: true;
  json?: true;
}

function twoPaths(text: string): [string, string] {
  const [first, second, ...more] = text.split(',');
  if (!first || !second || more.length > 0)
    throw new InvalidArgumentError('Two names with a comma between are wanted, such as injected,vmcall.');
  return [first, second];
}

/** A run by its file or folder. */
export const loadRun = async (source: string): Promise<Run> => ({ source, result: await readResult(source) });

/** `vmcall compare`: two runs, or two paths of one, with intervals, a rank test and a verdict in words. */
export function compareCommand(): Command {
  return new Command('compare')
    .argument('<A>', 'a result document, or a folder that holds result.json')
    .argument('[B]', 'another, which is compared with A; without it, two paths of A are')
    .option(
      '--paths <first,second>',
      'compare the second with the first (one run: injected and vmcall, or pv-kick if it has none)',
      twoPaths,
    )
    .option('--force', 'compare runs of different clock, traffic or kernel too')
    .option('--json', 'print the comparison as a document')
    .action(async (a: string, b: string | undefined, options: CompareOptions) => {
      const first = await loadRun(a);
      const comparison =
        b === undefined
          ? compareInside(first, options.paths ?? ['injected', mainPathOf(first.result)?.name ?? 'vmcall'])
          : compareRuns(first, await loadRun(b), { paths: options.paths, force: options.force === true });
      process.stdout.write(
        options.json ? `${JSON.stringify(comparison, null, 2)}\n` : `${renderComparison(comparison)}\n`,
      );
    });
}
