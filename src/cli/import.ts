// SPDX-License-Identifier: Apache-2.0
import { Command, Option } from 'commander';
import { type TimeUnit, units } from '../results/import/document.js';
import { type ImportFormat, importFormats, importResult } from '../results/import/import.js';
import { readInput } from '../results/read.js';
import { type Result, resultSchema } from '../results/schema.js';
import { writeOutput } from './output.js';

interface ImportOptions {
  format: ImportFormat;
  clock: Result['clock'];
  quantity?: Result['quantity'];
  unit?: TimeUnit;
  output?: string;
}

/** `vmcall import`: another tool's latencies as a result document, to compare and report with ours. */
export function importCommand(): Command {
  return new Command('import')
    .argument(
      '<file>',
      "cyclictest's --json file, -h or -H text; oslat's --json file; a log of HDR histograms; MoonGen's histogram CSV; TRex's statistics as JSON",
    )
    .addOption(
      new Option('--format <format>', 'what the file is').choices(importFormats).makeOptionMandatory(),
    )
    .addOption(
      new Option('--clock <clock>', 'what was measured on')
        .choices(resultSchema.shape.clock.options)
        .default('unknown'),
    )
    .addOption(
      new Option(
        '--quantity <quantity>',
        "what an HDR log's values are (MoonGen's and TRex's: a round trip)",
      ).choices(resultSchema.shape.quantity.options),
    )
    .addOption(
      new Option(
        '--unit <unit>',
        "the values' unit where the file does not say (default: cyclictest's text and TRex us, HDR logs and MoonGen ns)",
      ).choices(Object.keys(units)),
    )
    .option('--output <file>', 'where the document goes, instead of stdout')
    .action(async (file: string, options: ImportOptions) => {
      const { format, clock, quantity, unit } = options;
      const text = await readInput(file);
      const result = importResult(format, text, { source: file, clock, quantity, unit });
      await writeOutput(`${JSON.stringify(result, null, 2)}\n`, options.output, [file]);
    });
}
