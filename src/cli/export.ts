// SPDX-License-Identifier: Apache-2.0
import { Command, Option } from 'commander';
import { findPath } from '../comparison/compare.js';
import { toCsv } from '../results/export/csv.js';
import { toHgrm } from '../results/export/hgrm.js';
import { resultFile } from '../results/read.js';
import { exitCodes, VmcallError } from '../support/errors.js';
import { loadRun } from './compare.js';
import { writeOutput } from './output.js';

interface ExportOptions {
  format: 'csv' | 'hgrm';
  path?: string;
  output?: string;
}

/** `vmcall export`: a run's distributions for spreadsheets (CSV) and HdrHistogram's plotters (.hgrm). */
export function exportCommand(): Command {
  return new Command('export')
    .argument('<RUN>', 'a result document, or a folder that holds result.json')
    .addOption(
      new Option('--format <format>', 'what to write').choices(['csv', 'hgrm']).makeOptionMandatory(),
    )
    .option('--path <name>', 'this path alone (a .hgrm file holds one)')
    .option('--output <file>', 'where it goes, instead of stdout')
    .action(async (source: string, options: ExportOptions) => {
      const run = await loadRun(source);
      const all = [...run.result.paths, ...run.result.references];
      const paths = options.path === undefined ? all : [findPath(run, options.path)];
      const [first, ...others] = paths;
      const inputs = [await resultFile(source)];
      if (options.format === 'csv') return writeOutput(toCsv(paths), options.output, inputs);
      if (!first || others.length > 0)
        throw new VmcallError(
          'EXPORT_ONE_PATH',
          `a .hgrm file holds one distribution; this run has ${paths.length}`,
          `Name one with --path: ${paths.map(({ name }) => name).join(', ')}`,
          exitCodes.usage,
        );
      return writeOutput(toHgrm(first), options.output, inputs);
    });
}
