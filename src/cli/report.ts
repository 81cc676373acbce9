// SPDX-License-Identifier: Apache-2.0
import { Command } from 'commander';
import { mostRuns, renderReport } from '../report/report.js';
import { resultFile } from '../results/read.js';
import { exitCodes, VmcallError } from '../support/errors.js';
import { loadRun } from './compare.js';
import { writeOutput } from './output.js';

/** What fits a README: the report's upper part at a desk. */
const pictureView = { width: 1120, height: 1880 } as const;

/** `vmcall report`: one HTML file that needs no network, and a picture of it if wanted. */
export function reportCommand(): Command {
  return new Command('report')
    .argument('<RUN...>', 'result documents, or folders that hold result.json')
    .option('--output <file>', 'where the report goes, instead of stdout')
    .option('--picture <file>', 'also draw its upper part as PNG (needs Chromium)')
    .action(async (sources: string[], { output, picture }: { output?: string; picture?: string }) => {
      if (sources.length > mostRuns)
        throw new VmcallError(
          'REPORT_TOO_MANY_RUNS',
          `${sources.length} runs; a report shows up to ${mostRuns}`,
          'Leave some out',
          exitCodes.usage,
        );
      const inputs = await Promise.all(sources.map(resultFile));
      const page = renderReport(await Promise.all(sources.map(loadRun)));
      if (picture !== undefined) {
        // The browser's driver is large: only who wants a picture waits for it to load.
        const { takePicture } = await import('../report/picture.js');
        await writeOutput(await takePicture(page, pictureView), picture, inputs);
      }
      if (output !== undefined || picture === undefined) await writeOutput(page, output, inputs);
    });
}
