// SPDX-License-Identifier: Apache-2.0
import { exitCodes, VmcallError } from './errors.js';

/** All that a domain may be called by where a command takes a DOMAIN. */
export interface Called {
  name: string;
  uuid: string | null;
  /** libvirt's id, Proxmox's VMID. */
  ids: readonly string[];
}

/** As libvirt reads one: with hyphens or without, in any case; null for what is none. */
export function uuidOf(text: string): string | null {
  const digits = text.trim().replaceAll('-', '').toLowerCase();
  if (!/^[0-9a-f]{32}$/.test(digits)) return null;
  return digits.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

/**
 * The one of `all` that a word means, by name, id or UUID: one rule for every verb. virsh takes an id before a name;
 * where both are there, a word that sets a host may mean neither of them by chance, so it is refused.
 * Throws `DOMAIN_AMBIGUOUS`.
 */
export function called<T>(all: readonly T[], word: string, names: (one: T) => Called): T | undefined {
  const uuid = uuidOf(word);
  const [found, ...others] = all.filter((one) => {
    const { name, uuid: own, ids } = names(one);
    return name === word || ids.includes(word) || (uuid !== null && own === uuid);
  });
  if (found === undefined || others.length === 0) return found;
  const each = [found, ...others].map((one) => describe(names(one)));
  throw new VmcallError(
    'DOMAIN_AMBIGUOUS',
    `${JSON.stringify(word)} may be ${each.join(' or ')}`,
    'Give the UUID of the one that is meant: virsh list --all --uuid --name',
    exitCodes.usage,
  );
}

const describe = ({ name, uuid, ids }: Called) =>
  `${JSON.stringify(name)} (${[...ids.map((id) => `id ${id}`), ...(uuid === null ? [] : [uuid])].join(', ') || 'no UUID'})`;
