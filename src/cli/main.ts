#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
import { Command, CommanderError } from 'commander';
import { describeError, exitCodes, VmcallError } from '../support/errors.js';
import { checkCommand } from './check.js';
import { cstatesCommand } from './cstates.js';
import { labCommand } from './lab.js';
import { testCommand } from './test.js';
import { tuneCommand } from './tune.js';

const program = new Command('vmcall')
  .description(
    'DPDK in a KVM guest that yields its vCPU by hypercall and is woken by the host interrupt handler',
  )
  .exitOverride()
  .addCommand(checkCommand().exitOverride())
  .addCommand(cstatesCommand().exitOverride())
  .addCommand(labCommand().exitOverride())
  .addCommand(testCommand().exitOverride())
  .addCommand(tuneCommand().exitOverride());

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) process.exit(error.exitCode === 0 ? exitCodes.ok : exitCodes.usage);
  process.stderr.write(`${describeError(error)}\n`);
  process.exit(error instanceof VmcallError ? error.exitCode : exitCodes.failed);
}
process.exit(process.exitCode ?? exitCodes.ok);
