// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach } from 'vitest';
import type { TuneRequest } from '../../../host-agent/tuning/request.js';
import { look } from './look.js';
import { type Change, changed, systemAt, unpack } from './recorded-host.js';

/** The changed host's root folder, new for each test. */
export let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'vmcall-variants-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

/** A recorded host with something else in its place. */
export function host(name: string, change: Change) {
  unpack(changed(name, change), root);
  return systemAt(root);
}

export async function lookAt(
  name: string,
  change: Change,
  domain: string | null,
  request: Partial<TuneRequest> = {},
) {
  const system = host(name, change);
  const seen = await look(system, domain, request);
  const severity = (code: string) => seen.found.find((finding) => finding.code === code)?.severity;
  return { system, severity, ...seen };
}

export const nic = '0000:81:00.0';
export const group = { '/proc/2000/fd/20': null };
export const uuid = 'b2a0f9f6-54a1-4c9d-8a55-0f6c2f1d7e10';

/** As libvirt notes a running domain. */
export const status = (pid: number, id: number, name: string, devices: string, of = uuid) =>
  `<domstatus state='running' reason='booted' pid='${pid}'><domain type='kvm' id='${id}'><name>${name}</name><uuid>${of}</uuid><devices>${devices}</devices></domain></domstatus>`;
export const hostdev = (bus: string, slot: string, number: string) =>
  `<hostdev mode='subsystem' type='pci' managed='yes'><driver name='vfio'/><source><address domain='0x0000' bus='0x${bus}' slot='0x${slot}' function='0x${number}'/></source><address type='pci' domain='0x0000' bus='0x07' slot='0x00' function='0x0'/></hostdev>`;
