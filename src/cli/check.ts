// SPDX-License-Identifier: Apache-2.0
import { Command } from 'commander';
import { isVfio } from '../../host-agent/host/vfio-devices.js';
import { type Check, checkExitCode, checkSchema, findings } from '../../host-agent/tuning/check.js';
import { explained } from '../../host-agent/tuning/checks/explanations.js';
import { fail } from '../../host-agent/tuning/checks/finding.js';
import { formatCpus } from '../../host-agent/tuning/cpu-set.js';
import { isolatedCpus } from '../../host-agent/tuning/cpus.js';
import type { HostSystem } from '../../host-agent/tuning/knob.js';
import { isNic } from '../../host-agent/tuning/nic-target.js';
import type { TuneRequest } from '../../host-agent/tuning/request.js';
import { resolveTarget } from '../../host-agent/tuning/target.js';
import type { LimitSet } from '../results/limits.js';
import { exitCodes, VmcallError } from '../support/errors.js';
import { type AgentOptions, connectOption, resolveDomain, socketOption } from './domains.js';
import { jsonOption, printJson } from './json-output.js';
import { checkLimits, limitsOption } from './limits-check.js';
import { askLive, type CheckedDomain, liveFindings } from './live-check.js';
import { addTargetOptions, requestOf, type TargetOptions, thisSystem } from './tuning-options.js';

type Options = TargetOptions & AgentOptions & { json?: true; limits?: LimitSet };

/** `vmcall check`: is this host, a domain and its NICs fit, and if not, why not. Changes nothing. */
export function checkCommand(open: () => HostSystem = thisSystem): Command {
  return addTargetOptions(new Command('check'))
    .argument('[more...]', 'with --limits: further results')
    .addOption(limitsOption())
    .addOption(jsonOption())
    .addOption(socketOption())
    .addOption(connectOption())
    .addHelpText('after', '\nA live host agent is asked for the domain, and for what only it can say.')
    .action(async (name: string | undefined, more: string[], options: Options, command: Command) => {
      if (options.limits)
        return checkLimits(options.limits, name === undefined ? [] : [name, ...more], options.json === true);
      if (more.length > 0) throw oneDomain(more);
      const system = open();
      const isMeant = command.getOptionValueSource('socket') === 'cli';
      const live = name === undefined ? undefined : await askLive(name, options, isMeant);
      const called = live?.domain.uuid ?? (await atLibvirt(name, options.connect));
      const hasProcess = live === undefined || (await system.domains.find(live.domain.uuid)) !== null;
      const domain = hasProcess ? called : undefined;
      const request = await requestOf(system, domain, options);
      const target = await resolveTarget(
        system.host,
        name === undefined ? byDefault(system, request) : request,
      );
      const found = [
        ...(live ? liveFindings(live) : []),
        ...(hasProcess ? [] : [noProcess(live)]),
        ...findings(system, target),
      ].map(explained);
      const exitCode = checkExitCode(found);
      const document = checkSchema.parse({
        format: 'vmcall-check',
        version: 1,
        domain: target.facts?.name ?? live?.domain.name ?? null,
        cpus: formatCpus(target.cpus),
        fit: exitCode === exitCodes.ok,
        findings: found,
      });
      if (options.json) printJson(document);
      else process.stdout.write(render(document));
      process.exitCode = exitCode;
    });
}

const oneDomain = (more: readonly string[]) =>
  new VmcallError(
    'USAGE',
    `one domain at a time: what are ${more.join(' and ')}?`,
    'Name one; or say --limits to judge results.',
    exitCodes.usage,
  );

/** By name, id or UUID at the libvirt that the user names; as it was given without one. */
async function atLibvirt(name: string | undefined, uri: string | undefined): Promise<string | undefined> {
  return name === undefined || uri === undefined ? name : resolveDomain(name, uri);
}

const noProcess = (live: CheckedDomain | undefined) =>
  fail(
    'process',
    `the domain is ${live?.domain.domain}: no QEMU process of this host is it`,
    'Start it here.',
  );

/** Without a domain the host itself is judged: its isolated CPUs and the NICs that vfio-pci has. */
function byDefault({ host }: HostSystem, request: TuneRequest): TuneRequest {
  const vfio = host
    .names('/sys/bus/pci/devices')
    .filter((address) => isVfio(host, address))
    .filter((address) => isNic(host, address));
  return {
    ...request,
    cpus: request.cpus.length > 0 ? request.cpus : isolatedCpus(host),
    nics: request.nics.size > 0 ? request.nics : new Map(vfio.map((address) => [address, null])),
  };
}

function render({ domain, cpus, fit, findings }: Check): string {
  const under = `\n${' '.repeat(28)}`;
  const lines = findings.map(({ code, severity, read, todo, undo, why, source }) =>
    [
      `${severity.padEnd(4)}  ${code.padEnd(20)}  ${read}`,
      ...(why === null ? [] : [`why: ${why} (${source})`]),
      ...(todo === null ? [] : [`fix: ${todo}`]),
      ...(undo === null ? [] : [`undo: ${undo}`]),
    ].join(under),
  );
  const subject = `${domain ?? 'This host'}, DPDK CPUs: ${cpus || 'none'}`;
  return `${[...lines, `${subject}: ${fit ? 'fit' : 'NOT FIT'}`].join('\n')}\n`;
}
