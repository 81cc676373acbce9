#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
import { Command, CommanderError } from 'commander';
import { beforeAfterCommand } from '../developer-cli/before-after.js';
import { benchCommand } from '../developer-cli/bench.js';
import { costsCommand } from '../developer-cli/costs.js';
import { debianCommand } from '../developer-cli/debian.js';
import { densityCommand } from '../developer-cli/density.js';
import { labCommand } from '../developer-cli/lab.js';
import { modesCommand } from '../developer-cli/modes.js';
import { testCommand } from '../developer-cli/test.js';
import { describeError, exitCodes, VmcallError } from '../support/errors.js';
import { checkCommand } from './check.js';
import { compareCommand } from './compare.js';
import { cstatesCommand } from './cstates.js';
import { disableCommand, enableCommand } from './desire.js';
import { enrollCommand } from './enroll.js';
import { exportCommand } from './export.js';
import { guestAgentCommand } from './guest-agent.js';
import { hostAgentCommand } from './host-agent.js';
import { importCommand } from './import.js';
import { probeCommand } from './probe.js';
import { reportCommand } from './report.js';
import { runCommand } from './run.js';
import { statusCommand } from './status.js';
import { topCommand } from './top.js';
import { tuneCommand } from './tune.js';

const commands = [
  beforeAfterCommand,
  benchCommand,
  checkCommand,
  compareCommand,
  costsCommand,
  cstatesCommand,
  debianCommand,
  densityCommand,
  disableCommand,
  enableCommand,
  enrollCommand,
  exportCommand,
  guestAgentCommand,
  hostAgentCommand,
  importCommand,
  labCommand,
  modesCommand,
  probeCommand,
  reportCommand,
  runCommand,
  statusCommand,
  testCommand,
  topCommand,
  tuneCommand,
];

const program = new Command('vmcall')
  .description(
    'DPDK in a KVM guest that yields its vCPU by hypercall and is woken by the host interrupt handler',
  )
  // A command after `debian` has options of its own.
  .enablePositionalOptions()
  .exitOverride();
for (const command of commands) program.addCommand(command().exitOverride());

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) process.exit(error.exitCode === 0 ? exitCodes.ok : exitCodes.usage);
  process.stderr.write(`${describeError(error)}\n`);
  process.exit(error instanceof VmcallError ? error.exitCode : exitCodes.failed);
}
process.exit(process.exitCode ?? exitCodes.ok);
