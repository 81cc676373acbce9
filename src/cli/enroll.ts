// SPDX-License-Identifier: Apache-2.0
import { isIPv6 } from 'node:net';
import { Command, InvalidArgumentError } from 'commander';
import { hostCertificate } from '../../host-agent/enrolment/certificate.js';
import { guestConfiguration } from '../../host-agent/enrolment/guest-configuration.js';
import { EnrolmentStore, hostStateFolder } from '../../host-agent/enrolment/store.js';
import { defaultPort, resource } from '../protocol/version.js';
import { connectOption, resolveDomain } from './domains.js';

interface Options {
  host: string;
  state: string;
  connect?: string;
}

/** `ADDRESS[:PORT]` as the URL of the host agent there. */
function hostUrl(text: string): string {
  const [, address = '', port = ''] =
    /^(\[[0-9a-fA-F:.]+\]|[^\s:/?#@[\]]+)(?::(\d+))?$/.exec(isIPv6(text) ? `[${text}]` : text) ?? [];
  const url = `wss://${address}:${port || defaultPort}${resource}`;
  if (address === '' || !URL.canParse(url))
    throw new InvalidArgumentError(`${text} is not ADDRESS or ADDRESS:PORT.`);
  return url;
}

/** `vmcall enroll`: a new secret for a guest, and the configuration file for it on stdout. */
export function enrollCommand(): Command {
  return new Command('enroll')
    .argument('<domain>', 'name, id or UUID; a UUID without --connect is taken as it is')
    .requiredOption('--host <address[:port]>', 'where the guest reaches the host agent', hostUrl)
    .option('--state <folder>', "the host agent's state", hostStateFolder)
    .addOption(connectOption())
    .addHelpText('after', '\nThe secret issued before for this domain is worth nothing from then on.')
    .action(async (domain: string, { host, state, connect }: Options) => {
      const uuid = await resolveDomain(domain, connect);
      const store = new EnrolmentStore(state);
      const { fingerprint } = await hostCertificate(state);
      const secret = await store.issue(uuid);
      process.stdout.write(guestConfiguration({ url: host, domain: uuid, secret, fingerprint }));
    });
}
