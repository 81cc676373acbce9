// SPDX-License-Identifier: Apache-2.0
import { Command, Option } from 'commander';
import type { ControlClient } from '../control/client.js';
import type { DomainStatus, Planned } from '../control/schema.js';
import type { Step } from '../control/steps.js';
import { type DesiredPath, desiredPathSchema } from '../protocol/fields.js';
import { describeError, exitCodes, VmcallError } from '../support/errors.js';
import { type AgentOptions, connectOption, findDomains, openAgent, socketOption } from './domains.js';
import { patience, waitFor } from './reached.js';

interface Options extends AgentOptions {
  /** Of `enable` alone. */
  path?: DesiredPath;
  all?: true;
  wait: boolean;
  dryRun?: true;
}

type Called = Pick<DomainStatus, 'uuid' | 'name'>;

/** `vmcall enable`: domains are to take the VM-call path, or another one that is named. */
export const enableCommand = () =>
  desireCommand('enable').addOption(
    new Option('--path <path>', 'another path, to compare with')
      .choices(desiredPathSchema.options)
      .default('vmcall'),
  );

/** `vmcall disable`: domains are to take the injected path. */
export const disableCommand = () => desireCommand('disable');

/** `vmcall forget`: no path is desired of domains any more. */
export const forgetCommand = () => desireCommand('forget', null);

/** @param usual without --path; null: the desired path is removed */
function desireCommand(verb: string, usual: DesiredPath | null = 'injected'): Command {
  return new Command(verb)
    .argument('[domains...]', 'names, ids or UUIDs')
    .option('--all', 'every domain that the host agent knows')
    .option('--no-wait', 'do not wait until it is reached')
    .option('--dry-run', 'only say what would be done')
    .addOption(socketOption())
    .addOption(connectOption())
    .addHelpText(
      'after',
      "\nThe desired path is kept in the domain's metadata: it outlives agents, guest and host.",
    )
    .action(async (called: string[], options: Options) => {
      const path = options.path ?? usual;
      if ((options.all === true) === called.length > 0) throw whichDomains(verb);
      const { client, status } = await openAgent(options);
      const domains = options.all ? status.domains : findDomains(status, called);
      if (options.dryRun)
        for (const { uuid, name } of domains)
          process.stdout.write(renderPlan(name, await client.plan(uuid, path)));
      else process.exitCode = await desire(client, domains, path, options.wait);
    });
}

/** Of all at once; a line on stdout for each as it is there, and one on stderr for each that is refused. @returns the exit code */
async function desire(
  client: ControlClient,
  domains: readonly Called[],
  path: DesiredPath | null,
  wait: boolean,
): Promise<number> {
  if (domains.length === 0) return exitCodes.ok;
  const until = patience();
  const uuids = domains.map(({ uuid }) => uuid);
  const refusals = await client.desireEach(uuids, path);
  const outcome = async (uuid: string) => {
    const refusal = refusals.get(uuid);
    if (refusal) throw refusal;
    return wait ? (await waitFor(client, uuid, path, until)).actual : `${path ?? 'nothing'} is desired`;
  };
  const failures = new Set<number>();
  for (const { uuid, name } of domains) {
    try {
      process.stdout.write(`${name}: ${await outcome(uuid)}\n`);
    } catch (error) {
      if (!(error instanceof VmcallError)) throw error;
      failures.add(error.exitCode);
      process.stderr.write(`${describeError(error)}\n`);
    }
  }
  const [only = exitCodes.ok] = failures;
  return failures.size > 1 ? exitCodes.failed : only;
}

const words: Readonly<Record<Step, string>> = {
  allow: 'allow VM calls in KVM',
  'tell-vmcall': 'tell the guest to take the VM-call path',
  'give-up': 'give up',
  'tell-injected': 'tell the guest to take the injected path',
  'tell-poll': 'tell the guest to poll',
  'tell-pv-kick': 'tell the guest to take the PV-kick path',
  'allow-hard-isr': "have KVM take the NIC's interrupts in hard interrupt context, and no VM calls",
  forbid: 'forbid VM calls in KVM',
};

function renderPlan(name: string, { desired, steps, obstacle }: Planned): string {
  const lines = [
    `${name}: would change desired from ${desired.before} to ${desired.after}`,
    ...steps.map((step) => `  then ${words[step]}`),
    ...(obstacle ? [`  then it would wait: ${obstacle.code}: ${obstacle.message}`] : []),
  ];
  return `${lines.join('\n')}\n`;
}

const whichDomains = (verb: string) =>
  new VmcallError(
    'WHICH_DOMAINS',
    `${verb} takes names, ids or UUIDs of domains, or --all, and not both`,
    'See vmcall status for the domains there are',
    exitCodes.usage,
  );
