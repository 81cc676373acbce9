// SPDX-License-Identifier: Apache-2.0
import { setTimeout as delay } from 'node:timers/promises';
import { Command, Option } from 'commander';
import type { ControlClient } from '../../host-agent/control/client.js';
import type { DomainStatus, Planned } from '../../host-agent/control/schema.js';
import { type DesiredPath, desiredPathSchema } from '../../host-agent/switch/metadata.js';
import type { Step } from '../../host-agent/switch/seen.js';
import { exitCodes, VmcallError } from '../support/errors.js';
import { type AgentOptions, connectOption, findDomain, openAgent, socketOption } from './domains.js';

const pollMs = 250;
/** Longer than all of the agent's own deadlines on the way: two requests to the guest, ten seconds each. */
const waitMs = 60_000;

interface Options extends AgentOptions {
  /** Of `enable` alone. */
  path?: DesiredPath;
  wait: boolean;
  dryRun?: true;
}

/** `vmcall enable`: the domain is to take the VM-call path, or another one that is named. */
export const enableCommand = () =>
  desireCommand('enable', 'put a domain on the VM-call path').addOption(
    new Option('--path <path>', 'another path, to compare with')
      .choices(desiredPathSchema.options)
      .default('vmcall'),
  );

/** `vmcall disable`: the domain is to take the injected path. */
export const disableCommand = () => desireCommand('disable', 'put a domain back on the injected path');

function desireCommand(verb: string, description: string): Command {
  return new Command(verb)
    .description(description)
    .argument('<domain>', 'name, id or UUID')
    .option('--no-wait', 'do not wait until it is reached')
    .option('--dry-run', 'only say what would be done')
    .addOption(socketOption())
    .addOption(connectOption())
    .addHelpText('after', "\nThe wish is kept in the domain's metadata: it outlives agents, guest and host.")
    .action(async (domain: string, { path = 'injected', ...options }: Options) => {
      const { client, status } = await openAgent(options);
      const { uuid, name } = findDomain(status, domain);
      const planned = await client.desire(uuid, { path, dry_run: options.dryRun === true });
      if (options.dryRun) process.stdout.write(renderPlan(name, planned));
      else if (options.wait) process.stdout.write(`${name}: ${(await waitFor(client, uuid, path)).actual}\n`);
      else process.stdout.write(`${name}: ${path} is desired\n`);
    });
}

const words: Readonly<Record<Step, string>> = {
  allow: 'allow VM calls in KVM',
  'tell-vmcall': 'tell the guest to take the VM-call path',
  'give-up': 'give up',
  'tell-injected': 'tell the guest to take the injected path',
  'tell-poll': 'tell the guest to poll',
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

/** Until it is reached. @throws VmcallError with the reason if it is not */
export async function waitFor(client: ControlClient, uuid: string, path: DesiredPath): Promise<DomainStatus> {
  const until = performance.now() + waitMs;
  for (;;) {
    const [domain] = (await client.status(uuid)).domains;
    if (domain?.desired === path && domain.phase === 'reached') return domain;
    if (domain?.desired === path && domain.phase === 'blocked') throw notReached(domain);
    if (performance.now() > until) throw notReached(domain);
    await delay(pollMs);
  }
}

function notReached(domain: DomainStatus | undefined): VmcallError {
  const { code = 'NOT_REACHED', message = 'it takes longer than it should' } = domain?.reason ?? {};
  const isUnsupported = code === 'KVM_ABSENT' || code === 'KVM_UNSUPPORTED';
  return new VmcallError(
    code,
    `${domain?.name}: ${message} (desired ${domain?.desired}, actual ${domain?.actual})`,
    'The wish is kept, and the host agent goes on trying: see vmcall status --watch',
    isUnsupported ? exitCodes.unsupported : exitCodes.failed,
  );
}
