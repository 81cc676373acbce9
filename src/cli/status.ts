// SPDX-License-Identifier: Apache-2.0
import { setTimeout as delay } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { Command } from 'commander';
import type { DomainStatus, Status, TuningStatus } from '../control/schema.js';
import { type AgentOptions, connectOption, findDomain, openAgent, socketOption } from './domains.js';
import { jsonOption, printJson } from './json-output.js';

const watchMs = 1_000;

/** `vmcall status`: desired and actual path of each domain, and why they differ. */
export function statusCommand(): Command {
  return new Command('status')
    .argument('[domain]', 'name, id or UUID; without it, all of them')
    .option('--watch', 'print it again at each change, until interrupted')
    .addOption(jsonOption())
    .addOption(socketOption())
    .addOption(connectOption())
    .action(async (domain: string | undefined, options: AgentOptions & { json?: true; watch?: true }) => {
      let last: Status | undefined;
      do {
        const { status: all } = await openAgent(options);
        const status = domain === undefined ? all : { ...all, domains: [findDomain(all, domain)] };
        if (!isDeepStrictEqual(steady(status), steady(last))) print(status, options.json === true);
        last = status;
        if (options.watch) await delay(watchMs);
      } while (options.watch);
    });
}

/** Without what counts on by itself. */
const steady = (status: Status | undefined) =>
  status?.domains.map(({ kvm: { yields: _yields, rings: _rings, ...kvm }, ...domain }) => ({
    ...domain,
    kvm,
  }));

function print(status: Status, isJson: boolean): void {
  if (isJson) printJson(status);
  else process.stdout.write(render(status));
}

function render({ libvirt, unheard, domains }: Status): string {
  const lost = [
    ...(libvirt.connected ? [] : [`No connection to libvirt at ${libvirt.uri}.\n`]),
    ...unheard.map(({ what, problem }) => `Not listening for ${what} yet: ${problem}\n`),
  ].join('');
  if (domains.length === 0) return `${lost}No domains.\n`;
  const columns = ['DOMAIN', 'DESIRED', 'ACTUAL', 'VM CALLS', 'STATE'];
  const rows = domains.map((domain) => [
    domain.name,
    domain.desired,
    domain.actual,
    domain.kvm.yields === null ? '-' : String(domain.kvm.yields),
    domain.phase,
  ]);
  const widths = columns.map((column, at) =>
    Math.max(column.length, ...rows.map((row) => row[at]?.length ?? 0)),
  );
  const line = (words: readonly string[]) =>
    `${words
      .map((word, at) => word.padEnd(widths[at] ?? 0))
      .join('  ')
      .trimEnd()}\n`;
  return lost + line(columns) + rows.map((row, at) => line(row) + notes(domains[at])).join('');
}

function notes(domain: DomainStatus | undefined): string {
  const reason = domain?.reason ? `  ${domain.reason.code}: ${domain.reason.message}\n` : '';
  const problem = domain?.problem ? `  BAD_METADATA: ${domain.problem}\n` : '';
  return `${reason}${problem}${domain?.tuning ? tuningLine(domain.tuning) : ''}`;
}

function tuningLine({ kept_since, set_again, last_set, problem }: TuningStatus): string {
  if (problem) return `  ${problem.code}: tuning is not kept: ${problem.message}\n`;
  const last = last_set === null ? '' : `, last at ${last_set}`;
  return `  tuning kept since ${kept_since}; reapplied: ${set_again}${last}\n`;
}
