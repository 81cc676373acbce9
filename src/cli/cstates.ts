// SPDX-License-Identifier: Apache-2.0
import { setTimeout as sleep } from 'node:timers/promises';
import { Command, InvalidArgumentError } from 'commander';
import { execa } from 'execa';
import { measureCStates } from '../../host-agent/tuning/cstates.js';
import type { HostSystem } from '../../host-agent/tuning/knob.js';
import { openJournal } from '../../host-agent/tuning/tune.js';
import { generatorResultSchema } from '../results/generator-result.js';
import { VmcallError } from '../support/errors.js';
import { stderrProgress } from '../support/progress.js';
import { renderCStates } from './cstates-table.js';
import { jsonOption, printJson } from './json-output.js';
import { stateOption, thisSystem } from './tuning-options.js';

/** Ten minutes a state: 1,000,000 packets each 350 us take six. */
const timeout = 600_000;

/** `vmcall cstates`: the deck's table of latency against the deepest C-state allowed. */
export function cstatesCommand(open: () => HostSystem = thisSystem): Command {
  return new Command('cstates')
    .requiredOption('--cpu <n>', 'the CPU on which the DPDK program or its vCPU waits', (text) => {
      if (!/^\d{1,4}$/.test(text)) throw new InvalidArgumentError(`"${text}" is not a CPU.`);
      return Number(text);
    })
    .argument('<command...>', 'prints what vmcall-generator --json prints; after --')
    .addOption(jsonOption())
    .addOption(stateOption())
    .action(async (command: string[], options: { cpu: number; json?: true; state: string }) => {
      const system = open();
      const progress = stderrProgress();
      const journal = openJournal(system.host, options.state);
      const table = await measureCStates({
        system,
        journal,
        cpu: options.cpu,
        sleep,
        measure: async (state) => {
          progress.step(`CPU ${options.cpu} limited to ${state}`);
          return measureWith(command);
        },
      }).finally(() => journal.close());
      if (options.json) printJson(table);
      else process.stdout.write(`${renderCStates(table)}\n`);
    });
}

async function measureWith([file = '', ...words]: string[]) {
  const { stdout } = await execa(file, words, { timeout, stderr: 'inherit', maxBuffer: 64 << 20 }).catch(
    (cause: unknown) => {
      throw new VmcallError(
        'MEASURING',
        cause instanceof Error ? cause.message : String(cause),
        'The command must run and exit with 0: try it by itself.',
        undefined,
        { cause },
      );
    },
  );
  const rtt = parse(stdout);
  if (!rtt)
    throw new VmcallError(
      'MEASURING',
      `${file} printed no result with round trips`,
      'It must print what vmcall-generator --json prints, with packets received.',
    );
  return { min: rtt.min, avg: rtt.avg, max: rtt.max };
}

function parse(text: string) {
  try {
    return generatorResultSchema.parse(JSON.parse(text)).rtt_ns;
  } catch {
    return null;
  }
}
