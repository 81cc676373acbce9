// SPDX-License-Identifier: Apache-2.0
import { Command } from 'commander';
import { withEnergy } from '../bench/energy.js';
import { machineNow } from '../bench/machine.js';
import { measureOverhead } from '../bench/overhead.js';
import { runScale } from '../bench/scale.js';
import { scaleDocument } from '../bench/scale-document.js';
import { overheadSchema, scaleSchema } from '../bench/schema.js';
import { overheadText, scaleText } from '../bench/text.js';
import { jsonOption, printJson } from '../cli/json-output.js';
import { whole } from '../cli/whole.js';
import type { TargetResult } from '../results/schema.js';
import { installAddon } from '../setup/addon.js';
import { exitCodes } from '../support/errors.js';
import { stderrProgress } from '../support/progress.js';

/** `vmcall bench`: what the agents themselves cost, on this machine. Exit code 1 if a target is not reached. */
export function benchCommand(): Command {
  return new Command('bench').addCommand(scaleCommand()).addCommand(overheadCommand());
}

const exitCodeOf = (targets: readonly TargetResult[]) =>
  targets.every(({ reached }) => reached) ? exitCodes.ok : exitCodes.failed;

function scaleCommand(): Command {
  return new Command('scale')
    .description('one host agent with many guests over TLS, each sending a histogram a second')
    .option('--guests <number>', 'guests, 1 to 1000', whole(1, 1000), 1000)
    .option('--seconds <number>', 'for how long they send, 4 to 3600', whole(4, 3600), 20)
    .addOption(jsonOption())
    .action(async ({ guests, seconds, json }: { guests: number; seconds: number; json?: true }) => {
      const machine = machineNow();
      const progress = stderrProgress();
      await installAddon(progress);
      const what = `one host agent with ${guests} guests`;
      const { done, taken } = await withEnergy(what, progress, () => runScale({ guests, seconds }, progress));
      const document = scaleSchema.parse({ ...scaleDocument(done, machine), ...taken });
      if (json) printJson(document);
      else process.stdout.write(scaleText(document));
      process.exitCode = exitCodeOf(document.targets);
    });
}

function overheadCommand(): Command {
  return new Command('overhead')
    .description('CPU that host agent, guest agent and counting cost, at a histogram a second; for root')
    .option('--seconds <number>', 'each is watched for so long, 10 to 3600', whole(10, 3600), 60)
    .addOption(jsonOption())
    .action(async ({ seconds, json }: { seconds: number; json?: true }) => {
      const progress = stderrProgress();
      await installAddon(progress);
      const { done, taken } = await withEnergy('both agents in turn', progress, () =>
        measureOverhead(seconds, machineNow(), progress),
      );
      const document = overheadSchema.parse({ ...done, ...taken });
      if (json) printJson(document);
      else process.stdout.write(overheadText(document));
      process.exitCode = exitCodeOf(document.targets);
    });
}
