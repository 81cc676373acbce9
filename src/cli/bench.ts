// SPDX-License-Identifier: Apache-2.0
import { Command, InvalidArgumentError } from 'commander';
import { runScale } from '../bench/scale.js';
import { machineLoad, scaleDocument } from '../bench/scale-document.js';
import { scaleText } from '../bench/text.js';
import { exitCodes } from '../support/errors.js';
import { stderrProgress } from '../support/progress.js';
import { jsonOption, printJson } from './tuning-options.js';

/** A whole number within bounds. */
const between = (least: number, most: number) => (text: string) => {
  const value = Number(text);
  if (!Number.isInteger(value) || value < least || value > most)
    throw new InvalidArgumentError(`wanted a whole number from ${least} to ${most}.`);
  return value;
};

/** `vmcall bench`: what the agents themselves cost, on this machine. Exit code 1 if a target is not reached. */
export function benchCommand(): Command {
  return new Command('bench')
    .description('measure what the agents themselves cost')
    .addCommand(scaleCommand());
}

function scaleCommand(): Command {
  return new Command('scale')
    .description('one host agent with many guests over TLS, each sending a histogram a second')
    .option('--guests <number>', 'guests, 1 to 1000', between(1, 1000), 1000)
    .option('--seconds <number>', 'for how long they send, 4 to 3600', between(4, 3600), 20)
    .addOption(jsonOption())
    .action(async ({ guests, seconds, json }: { guests: number; seconds: number; json?: true }) => {
      const load = machineLoad();
      const run = await runScale({ guests, seconds, observe: true }, stderrProgress());
      const document = scaleDocument(run, load);
      if (json) printJson(document);
      else process.stdout.write(scaleText(document));
      process.exitCode = document.targets.every(({ reached }) => reached) ? exitCodes.ok : exitCodes.failed;
    });
}
