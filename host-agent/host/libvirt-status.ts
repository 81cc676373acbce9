// SPDX-License-Identifier: Apache-2.0
import type { Host } from './host.js';
import { parseCommandLine } from './qemu-command-line.js';

/** What libvirt notes of a running domain, hot-plugged devices included (libvirt: qemuDomainObjFormat, "domstatus"). */
export interface LibvirtStatus {
  pid: number;
  name: string;
  uuid: string;
  id: string;
  /** PCI addresses and UUIDs of mediated devices that it has given to the guest. */
  hostdevs: string[];
}

/** Of the system's libvirt and of users' own; `*.xml` in each. A user may write anything into the latter. */
function folders(host: Host): { path: string; user: string | null }[] {
  const ofSystem = ['/run/libvirt/qemu', '/var/run/libvirt/qemu'].map((path) => ({ path, user: null }));
  const ofUsers = host
    .names('/run/user')
    .map((user) => ({ path: `/run/user/${user}/libvirt/qemu/run`, user }));
  return [...ofSystem, ...ofUsers];
}

/**
 * Whether a process is the domain that a note says it is: its number may be another's by now, and a user speaks for none
 * but its own.
 */
function isOf(host: Host, { pid, uuid }: LibvirtStatus, user: string | null): boolean {
  const words = parseCommandLine((host.read(`/proc/${pid}/cmdline`) ?? '').split('\0'));
  if (words.uuid && uuid !== '' && words.uuid !== uuid) return false;
  return user === null || /^Uid:\s+(\d+)/m.exec(host.read(`/proc/${pid}/status`) ?? '')?.[1] === user;
}

/** Each running domain's, by process. */
export function libvirtStatus(host: Host): Map<number, LibvirtStatus> {
  const found = new Map<number, LibvirtStatus>();
  for (const { path, user } of folders(host))
    for (const name of host.names(path).filter((entry) => entry.endsWith('.xml'))) {
      const status = parseStatus(host.read(`${path}/${name}`) ?? '');
      if (status && !found.has(status.pid) && isOf(host, status, user)) found.set(status.pid, status);
    }
  return found;
}

/** libvirt writes these files itself, one way: single quotes, no comment, text escaped. */
export function parseStatus(xml: string): LibvirtStatus | null {
  // Anybody's XML may stand in there.
  const own = xml.replace(/<metadata>[\s\S]*?<\/metadata>/g, '');
  const pid = Number(/<domstatus\b[^>]*\bpid=['"](\d+)['"]/.exec(own)?.[1]);
  const domain = /<domain\b([^>]*)>([\s\S]*)<\/domain>/.exec(own);
  const id = /\bid=['"](\d+)['"]/.exec(domain?.[1] ?? '')?.[1];
  const text = (tag: string) => new RegExp(`<${tag}>([^<]*)</${tag}>`).exec(domain?.[2] ?? '')?.[1];
  const name = text('name');
  const uuid = text('uuid');
  if (!(pid > 0) || id === undefined || name === undefined || uuid === undefined) return null;
  const devices = /<devices>([\s\S]*)<\/devices>/.exec(domain?.[2] ?? '')?.[1] ?? '';
  return { pid, id, name: unescaped(name), uuid: uuid.toLowerCase(), hostdevs: hostdevsOf(devices) };
}

/** The address within `<source>` is the host's; the one beside it the guest's. */
function hostdevsOf(devices: string): string[] {
  const elements = devices.matchAll(/<(hostdev|interface)\b[^>]*[^/]>[\s\S]*?<\/\1>/g);
  return [...elements].flatMap(([element]) =>
    [...element.matchAll(/<source(?:\s[^>]*[^/])?>([\s\S]*?)<\/source>/g)].flatMap(([, source = '']) =>
      [...source.matchAll(/<address\b[^>]*>/g)].flatMap(([address]) => addressOf(address) ?? []),
    ),
  );
}

function addressOf(element: string): string | null {
  const attribute = (name: string) => new RegExp(`\\b${name}=['"]([^'"]*)['"]`).exec(element)?.[1];
  const uuid = attribute('uuid');
  if (uuid !== undefined) return uuid.toLowerCase();
  const hex = (name: string, digits: number) => {
    const value = Number.parseInt(attribute(name) ?? '', 16);
    return Number.isNaN(value) ? null : value.toString(16).padStart(digits, '0');
  };
  const [domain, bus, slot, number] = [hex('domain', 4), hex('bus', 2), hex('slot', 2), hex('function', 1)];
  return domain && bus && slot && number ? `${domain}:${bus}:${slot}.${number}` : null;
}

const entities: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" };

const unescaped = (text: string) =>
  text.replace(/&(?:#(\d+)|#x([0-9a-f]+)|(\w+));/gi, (whole, decimal, hex, named) =>
    named === undefined
      ? String.fromCodePoint(Number.parseInt(decimal ?? hex, decimal === undefined ? 16 : 10))
      : (entities[named] ?? whole),
  );
