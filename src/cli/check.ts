// SPDX-License-Identifier: Apache-2.0
import { Command } from 'commander';
import { type Check, checkExitCode, checkSchema, findings } from '../../host-agent/tuning/check.js';
import { formatCpus } from '../../host-agent/tuning/cpu-set.js';
import type { Bench } from '../../host-agent/tuning/knob.js';
import { isNic, isolatedCpus, resolveTarget, type Wish } from '../../host-agent/tuning/target.js';
import { exitCodes } from '../support/errors.js';
import {
  addTargetOptions,
  jsonOption,
  printJson,
  systemBench,
  type TargetOptions,
  wishOf,
} from './tuning-options.js';

/** `vmcall check`: is this host, a domain and its NICs fit, and if not, why not. Changes nothing. */
export function checkCommand(open: () => Bench = systemBench): Command {
  return addTargetOptions(new Command('check'))
    .description('is this host, a domain and its NICs fit for the VM-call path, and why not')
    .addOption(jsonOption())
    .action(async (domain: string | undefined, options: TargetOptions & { json?: true }) => {
      const bench = open();
      const wish = await wishOf(bench, domain, options);
      const target = await resolveTarget(bench.host, domain === undefined ? byDefault(bench, wish) : wish);
      const found = findings(bench, target);
      const exitCode = checkExitCode(found);
      const document = checkSchema.parse({
        format: 'vmcall-check',
        version: 1,
        domain: target.facts?.name ?? null,
        cpus: formatCpus(target.cpus),
        fit: exitCode === exitCodes.ok,
        findings: found,
      });
      if (options.json) printJson(document);
      else process.stdout.write(render(document));
      process.exitCode = exitCode;
    });
}

/** Without a domain the host itself is judged: its isolated CPUs and the NICs that vfio-pci has. */
function byDefault({ host }: Bench, wish: Wish): Wish {
  const vfio = host
    .names('/sys/bus/pci/devices')
    .filter((address) => host.link(`/sys/bus/pci/devices/${address}/driver`)?.endsWith('/vfio-pci'))
    .filter((address) => isNic(host, address));
  return {
    ...wish,
    cpus: wish.cpus.length > 0 ? wish.cpus : isolatedCpus(host),
    nics: wish.nics.size > 0 ? wish.nics : new Map(vfio.map((address) => [address, null])),
  };
}

function render({ domain, cpus, fit, findings }: Check): string {
  const lines = findings.map(({ code, severity, read, todo }) => {
    const first = `${severity.padEnd(4)}  ${code.padEnd(20)}  ${read}`;
    return todo === null ? first : `${first}\n${' '.repeat(28)}${todo}`;
  });
  const subject = `${domain ?? 'This host'}, DPDK CPUs: ${cpus || 'none'}`;
  return `${[...lines, `${subject}: ${fit ? 'fit' : 'NOT FIT'}`].join('\n')}\n`;
}
