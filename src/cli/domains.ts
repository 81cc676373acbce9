// SPDX-License-Identifier: Apache-2.0
import { Option } from 'commander';
import { openConnection } from '../../host-agent/native/connection.js';
import { errorNumber, LibvirtError } from '../../host-agent/native/error.js';
import { ControlClient } from '../control/client.js';
import { type DomainStatus, defaultSocket, type Status } from '../control/schema.js';
import { domainSchema } from '../protocol/fields.js';
import { type Called, called, uuidOf } from '../support/called.js';
import { exitCodes, VmcallError } from '../support/errors.js';

/** The libvirt that `-c` names, or the default. */
const defaultUri = 'qemu:///system';

export interface AgentOptions {
  socket: string;
  connect?: string;
}

export const socketOption = () =>
  new Option('--socket <file>', "the host agent's control socket").default(defaultSocket);

export const connectOption = () => new Option('-c, --connect <uri>', 'the libvirt connection, as in virsh');

const names = ({ id, uuid, name }: { id: number | null; uuid: string; name: string }): Called => ({
  name,
  uuid: uuid.toLowerCase(),
  ids: id === null ? [] : [String(id)],
});

/** Whom to ask, after it was seen to be the agent of the libvirt that the user means. */
export async function openAgent({
  socket,
  connect,
}: AgentOptions): Promise<{ client: ControlClient; status: Status }> {
  const client = new ControlClient(socket);
  const status = await client.status();
  if (connect !== undefined && connect !== status.libvirt.uri)
    throw new VmcallError(
      'OTHER_LIBVIRT',
      `this host agent keeps the domains of ${status.libvirt.uri}, not of ${connect}`,
      'Name the socket of the agent of that libvirt by --socket, or leave --connect out',
      exitCodes.usage,
    );
  return { client, status };
}

/** By name, id or UUID. @throws VmcallError NO_DOMAIN, DOMAIN_AMBIGUOUS, LIBVIRT_UNREACHABLE */
export function findDomain({ libvirt, domains }: Status, domain: string): DomainStatus {
  const found = called(domains, domain, names);
  if (found) return found;
  if (!libvirt.connected)
    throw new VmcallError(
      'LIBVIRT_UNREACHABLE',
      `the host agent has no connection to libvirt at ${libvirt.uri}, and has not seen ${JSON.stringify(domain)}`,
      'Does libvirtd run? Is libvirt.uri of its configuration right? Its log says why it was refused',
    );
  throw noDomain(domain, libvirt.uri);
}

/** Each once, however often it is named. @throws as findDomain() does */
export function findDomains(status: Status, domains: readonly string[]): DomainStatus[] {
  return [...new Set(domains.map((domain) => findDomain(status, domain)))];
}

/** By name, id or UUID at libvirt itself; a UUID without `uri` is taken as it is. @returns the UUID, in lower case */
export async function resolveDomain(domain: string, uri?: string): Promise<string> {
  const uuid = uuidOf(domain);
  if (uri === undefined && uuid !== null && domainSchema.safeParse(uuid).success) return uuid;
  const at = uri ?? defaultUri;
  try {
    const connection = await openConnection(at, { readOnly: true });
    try {
      const found = called(await connection.domains(), domain, names);
      if (!found) throw noDomain(domain, at);
      return found.uuid;
    } finally {
      await connection.close();
    }
  } catch (error) {
    if (!(error instanceof LibvirtError)) throw error;
    const isRefused = error.code === errorNumber.authFailed || error.code === errorNumber.operationDenied;
    throw new VmcallError(
      'LIBVIRT_UNREACHABLE',
      `libvirt at ${at}: ${error.message}`,
      isRefused
        ? 'Run this as root'
        : 'Does libvirtd run? Name another connection by --connect, or give the UUID',
      exitCodes.failed,
      { cause: error },
    );
  }
}

const noDomain = (domain: string, uri: string) =>
  new VmcallError(
    'NO_DOMAIN',
    `libvirt at ${uri} has no domain ${JSON.stringify(domain.slice(0, 200))}`,
    'Give its name, id or UUID, as virsh list --all --uuid prints them',
    exitCodes.usage,
  );
