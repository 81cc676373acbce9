// SPDX-License-Identifier: Apache-2.0
import { Command, CommanderError } from 'commander';
import { describeError, exitCodes, VmcallError } from '../support/errors.js';
import { versionText } from '../support/version.js';

/** A verb of the command. Its code is loaded when it is called: the others', and what they stand on, never is. */
export interface Verb {
  name: string;
  /** In a few words, for the help. */
  does: string;
  load: () => Promise<Command>;
}

/** Runs the verb that the process was started with; ends the process with its exit code. */
export async function runProgram(verbs: readonly Verb[]): Promise<never> {
  try {
    const program = await programFor(verbs, process.argv.slice(2));
    await program.parseAsync();
  } catch (error) {
    if (error instanceof CommanderError) process.exit(error.exitCode === 0 ? exitCodes.ok : exitCodes.usage);
    process.stderr.write(`${describeError(error)}\n`);
    process.exit(error instanceof VmcallError ? error.exitCode : exitCodes.failed);
  }
  process.exit(process.exitCode ?? exitCodes.ok);
}

async function programFor(verbs: readonly Verb[], words: readonly string[]): Promise<Command> {
  const [first, second] = words.filter((word) => !word.startsWith('-'));
  const asked = first === 'help' ? second : first;
  const program = new Command('vmcall')
    .description(
      'DPDK in a KVM guest that yields its vCPU by hypercall and is woken by the host interrupt handler',
    )
    .version(/^(?:-V|--version)$/.test(words[0] ?? '') ? versionText() : '')
    // A verb that runs another command takes what follows as that command's.
    .enablePositionalOptions();
  for (const { name, does, load } of verbs)
    program.addCommand((name === asked ? await load() : new Command(name)).description(does));
  neverExit(program);
  return program;
}

/** Commander throws where it would end the process, so that the exit code is ours. */
function neverExit(command: Command): void {
  command.exitOverride();
  command.commands.forEach(neverExit);
}
