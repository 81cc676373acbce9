// SPDX-License-Identifier: Apache-2.0
import { isIPv6 } from 'node:net';
import { networkInterfaces } from 'node:os';
import { Command, InvalidArgumentError } from 'commander';
import { hostCertificate } from '../../host-agent/enrolment/certificate.js';
import { guestConfiguration } from '../../host-agent/enrolment/guest-configuration.js';
import { EnrolmentStore } from '../../host-agent/enrolment/store.js';
import type { Enrolled, Enrolments } from '../control/schema.js';
import { defaultPort, resource } from '../protocol/version.js';
import { uuidOf } from '../support/called.js';
import { exitCodes, VmcallError } from '../support/errors.js';
import {
  type AgentOptions,
  connectOption,
  findDomain,
  openAgent,
  resolveDomain,
  socketOption,
} from './domains.js';
import { jsonOption, printJson } from './json-output.js';
import { checkOutput, writeOutput } from './output.js';
import { whole } from './whole.js';

/** More than a guest's configuration has. */
const fileBytes = 4096;

interface Options extends AgentOptions {
  host?: string;
  output?: string;
  state?: string;
  list?: true;
  json?: true;
  /** Of `rotate` alone, hours. */
  overlap?: number;
}

/** `ADDRESS[:PORT]` as the URL of the host agent there. */
function hostUrl(text: string): string {
  const bracketed = /^fe80:[^\]]*%/i.test(text) || isIPv6(text) ? `[${text}]` : text;
  const [, address = '', port = ''] =
    /^(\[[0-9a-fA-F:.]+(?:%[\w.-]{1,15})?\]|[^\s:/?#@[\]]+)(?::([1-9]\d{0,4}))?$/.exec(bracketed) ?? [];
  const url = `wss://${address}:${port || defaultPort}${resource}`;
  if (address === '' || !URL.canParse(url.replace(/%[\w.-]+\]/, ']')))
    throw new InvalidArgumentError(`${text} is not ADDRESS or ADDRESS:PORT.`);
  if (/^(0\.0\.0\.0|\[[0:.]*\])$/.test(address))
    throw new InvalidArgumentError(
      `${text} is every address of this host; give the one that the guest reaches.`,
    );
  return url;
}

/** `vmcall enroll`: a new secret for a guest, and the configuration file for it. */
export const enrollCommand = () =>
  issuing('enroll', '[domain]')
    .option('--list', 'who is enrolled, since when')
    .addOption(jsonOption())
    .option(
      '--state <folder>',
      'ask no agent: write into its state by hand, for an agent that is not there yet',
    )
    .addHelpText('after', '\nThe secret issued before for this domain is revoked at once: see vmcall rotate.')
    .action(async (domain: string | undefined, options: Options) => {
      if ((options.list === true) === (domain !== undefined)) throw whichDomain;
      if (domain === undefined) await list(options);
      else if (options.state !== undefined) await enrolByHand(domain, options.state, options);
      else await enrol(domain, 0, options);
    });

/** `vmcall rotate`: the same, and for some time the previous secret is valid, too. */
export const rotateCommand = () =>
  issuing('rotate', '<domain>')
    .option('--overlap <hours>', 'the previous secret stays valid for so long, 1 to 8760', whole(1, 8760), 24)
    .action((domain: string, options: Options) => enrol(domain, (options.overlap ?? 24) * 3600, options));

/** `vmcall revoke`: a guest can no longer connect. */
export const revokeCommand = () =>
  new Command('revoke')
    .argument('<domain>', 'name, id or UUID')
    .addOption(socketOption())
    .addOption(connectOption())
    .action(async (called: string, options: AgentOptions) => {
      const { client, status } = await openAgent(options);
      // Of a domain that libvirt has no more, too.
      const uuid = uuidOf(called) ?? findDomain(status, called).uuid;
      if (!(await client.revoke(uuid)))
        throw new VmcallError('NOT_ENROLLED', `${called} is not enrolled`, 'See vmcall enroll --list');
      process.stdout.write(`${called}: revoked; its session is over\n`);
    });

function issuing(verb: string, domain: string): Command {
  return new Command(verb)
    .argument(domain, 'name, id or UUID')
    .option(
      '--host <address[:port]>',
      'where the guest reaches the host agent; else where it listens',
      hostUrl,
    )
    .option('-o, --output <file>', "the guest's configuration, mode 0600; else stdout")
    .addOption(socketOption())
    .addOption(connectOption());
}

async function enrol(called: string, overlapS: number, options: Options): Promise<void> {
  const { client, status } = await openAgent(options);
  const { uuid } = findDomain(status, called);
  // Before anything is issued: without an address a new secret is of no use.
  const url = options.host ?? urlOf(status.guests.address, status.guests.port);
  await checkOutput(options.output, fileBytes);
  await write(url, await client.enrol(uuid, overlapS), options.output);
}

/** An address that guests can reach, if the agent listens at one. @throws VmcallError WHICH_ADDRESS */
function urlOf(address: string, port: number): string {
  if (address !== '0.0.0.0' && address !== '::')
    return hostUrl(isIPv6(address.split('%')[0] ?? '') ? `[${address}]:${port}` : `${address}:${port}`);
  const own = Object.entries(networkInterfaces()).flatMap(([name, all = []]) =>
    all.filter(({ internal }) => !internal).map((one) => `${one.address} (${name})`),
  );
  throw new VmcallError(
    'WHICH_ADDRESS',
    `the host agent listens at every address: ${own.join(', ')}`,
    'Name the one that this guest reaches by --host',
    exitCodes.usage,
  );
}

async function write(
  url: string,
  { domain, secret, fingerprint }: Pick<Enrolled, 'domain' | 'secret' | 'fingerprint'>,
  output: string | undefined,
): Promise<void> {
  const text = guestConfiguration({ url, domain, secret, fingerprint });
  await writeOutput(text, output, [], 0o600);
  process.stderr.write(`${domain}: its guest is to connect to ${url}\n`);
}

async function enrolByHand(called: string, state: string, options: Options): Promise<void> {
  const uuid = await resolveDomain(called, options.connect);
  const { fingerprint } = await hostCertificate(state);
  if (options.host === undefined)
    throw new VmcallError(
      'WHICH_ADDRESS',
      'with --state no agent says where it listens',
      'Name the address that this guest reaches by --host',
      exitCodes.usage,
    );
  await checkOutput(options.output, fileBytes);
  const secret = await new EnrolmentStore(state).issue(uuid);
  await write(options.host, { domain: uuid, secret, fingerprint }, options.output);
}

async function list(options: Options): Promise<void> {
  const { client } = await openAgent(options);
  const enrolments = await client.enrolments();
  if (options.json) printJson(enrolments);
  else process.stdout.write(render(enrolments));
}

function render({ domains }: Enrolments): string {
  if (domains.length === 0) return 'Nobody is enrolled.\n';
  const rows = domains.map(({ uuid, name, issued, previous_until: until, session }) => [
    uuid,
    name ?? '-',
    issued.slice(0, 19),
    until?.slice(0, 19) ?? '-',
    session ? 'yes' : 'no',
  ]);
  const all = [['UUID', 'DOMAIN', 'ISSUED', 'ONE BEFORE UNTIL', 'SESSION'], ...rows];
  const widths = all[0]?.map((_word, at) => Math.max(...all.map((row) => row[at]?.length ?? 0))) ?? [];
  return all
    .map(
      (row) =>
        `${row
          .map((word, at) => word.padEnd(widths[at] ?? 0))
          .join('  ')
          .trimEnd()}\n`,
    )
    .join('');
}

const whichDomain = new VmcallError(
  'WHICH_DOMAINS',
  'enroll takes a domain, or --list',
  'See vmcall status for the domains there are',
  exitCodes.usage,
);
