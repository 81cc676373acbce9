#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
// The two daemons, as `vmcall` has them, without the rest of the command line: a guest need not load that.
import { Command } from 'commander';
import { describeError, exitCodes, VmcallError } from '../support/errors.js';

const daemons = {
  'guest-agent': async () => (await import('./guest-agent.js')).guestAgentCommand(),
  'host-agent': async () => (await import('./host-agent.js')).hostAgentCommand(),
};

try {
  const program = new Command('vmcall');
  const name = process.argv[2];
  for (const [daemon, load] of Object.entries(daemons)) if (daemon === name) program.addCommand(await load());
  await program.parseAsync();
} catch (error) {
  process.stderr.write(`${describeError(error)}\n`);
  process.exit(error instanceof VmcallError ? error.exitCode : exitCodes.failed);
}
process.exit(process.exitCode ?? exitCodes.ok);
